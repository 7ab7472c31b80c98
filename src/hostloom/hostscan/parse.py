"""Parses the output of the scan script into links, addresses and routes."""

import logging
from ipaddress import ip_address, ip_network
from typing import Any

from hostloom.hostscan.bridge_vlans import PortVlans, parse_port_vlans
from hostloom.hostscan.commands import cut
from hostloom.hostscan.links import Facts, Links, info_kind
from hostloom.hostscan.normalize import MAX_ROUTES, is_name, shape_links
from hostloom.hostscan.objects import LINK, ROUTE, read_objects
from hostloom.hostscan.openvswitch import OpenVSwitch, parse_openvswitch
from hostloom.hostscan.roles import parse_wireless
from hostloom.model.errors.outside import HostUnreadable
from hostloom.model.finding import PARSE_ERRORS, Finding, Findings, in_words
from hostloom.model.observed import ObservedLink, ObservedNetwork, ObservedRoute

log = logging.getLogger(__name__)

#: Mbit/s; drivers that do not know the speed report -1, some of them as an unsigned number.
_MAX_SPEED = 10_000_000
#: Limits of DNS.
MAX_HOSTNAME = 253


def parse(text: str, host: str) -> ObservedNetwork:
    """Parse the output of `commands.SCRIPT`; HostUnreadable if it contains no link."""
    try:
        return _parse(text, host)
    except PARSE_ERRORS as error:
        # Expected problems become findings, and the rest is read; this problem is unexpected.
        log.exception("the links of host %s", host)
        raise HostUnreadable(host, "links", in_words(error)) from error


def _parse(text: str, host: str) -> ObservedNetwork:
    findings = Findings()
    parts = cut(text, host, findings)
    raw = shape_links(read_objects(parts["addr"], "links", "link", LINK, findings), findings)
    if not raw:
        raise HostUnreadable(host, "links", "; ".join(map(str, findings.all())) or "there is none")
    facts = Facts(
        _openvswitch(parts, raw, findings),
        _speeds(parts.get("speed", "")),
        parse_wireless(parts.get("wireless", "")),
        _port_vlans(parts, findings),
    )
    routes = _read_routes(parts, findings)
    observed_links = Links(raw, facts, routes).read(findings)
    return ObservedNetwork(
        _hostname(parts, findings),
        observed_links,
        routes,
        findings.all(),
        _unread(observed_links, findings.all()),
    )


def _unread(observed_links: tuple[ObservedLink, ...], findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Names of links that have findings and were not read."""
    names = {link.name for link in observed_links}
    unread = (finding.part.removeprefix("link ") for finding in findings if finding.part.startswith("link "))
    return tuple(name for name in unread if name not in names)


def _hostname(parts: dict[str, str], findings: Findings) -> str:
    hostname = parts.get("hostname", "")
    if len(hostname) > MAX_HOSTNAME or not hostname.isprintable():
        findings.add("hostname", f"at most {MAX_HOSTNAME} printable characters", hostname)
        return ""
    return hostname


def _openvswitch(parts: dict[str, str], raw: dict[str, Any], findings: Findings) -> OpenVSwitch:
    """The Open vSwitch tables; unknown, with a finding, if the host has its links but not its tables."""
    ovs = parse_openvswitch("", "", "")
    with findings.reading("Open vSwitch", "its tables as `ovs-vsctl --format=json list` prints them"):
        ovs = parse_openvswitch(*(parts.get(f"ovs-{table}", "") for table in ("bridge", "port", "interface")))
    if not ovs.is_known and any(info_kind(link) == "openvswitch" for link in raw.values()):
        cause = "nothing: ovs-vsctl is not installed, or this user may not read its database"
        findings.add("Open vSwitch", "its bridges and ports, as ovs-vsctl lists them", cause)
    return ovs


def _port_vlans(parts: dict[str, str], findings: Findings) -> dict[str, PortVlans] | None:
    """VLANs by port; None if the program is missing or its output cannot be read."""
    with findings.reading("VLANs of bridges", "a list as `bridge -compressvlans -j vlan show` prints it"):
        return parse_port_vlans(parts.get("bridge-vlan", ""))
    return None


def _read_routes(parts: dict[str, str], findings: Findings) -> tuple[ObservedRoute, ...]:
    observed_routes: list[ObservedRoute] = []
    for part, label in (("route4", "IPv4 routes"), ("route6", "IPv6 routes")):
        objects = read_objects(parts.get(part, ""), label, "route", ROUTE, findings)
        if len(objects) > MAX_ROUTES:
            findings.add(label, f"at most {MAX_ROUTES}", f"{len(objects)}, of which the first are read")
        for route in objects[:MAX_ROUTES]:
            with findings.reading(f"route {route.get('dst', '')}", "a destination with next hops"):
                observed_routes += _routes(route)
    return tuple(observed_routes)


def _routes(route: dict[str, Any]) -> list[ObservedRoute]:
    """One route per next hop; none for blackhole and unreachable routes."""
    destination = None if route["dst"] == "default" else ip_network(str(route["dst"]), strict=False)
    if destination is not None and destination.is_link_local:
        return []
    hops = [hop for hop in route.get("nexthops") or [route] if "dev" in hop]
    if not all(is_name(hop["dev"]) for hop in hops):
        raise ValueError("a next hop whose device has no name")
    metric = int(route.get("metric", 0))
    return [ObservedRoute(destination, _gateway(hop), hop["dev"], metric) for hop in hops]


def _gateway(hop: dict[str, Any]) -> str:
    """An IPv4 route may have an IPv6 gateway (`via`)."""
    gateway = hop.get("gateway") or hop.get("via", {}).get("host", "")
    return str(ip_address(gateway)) if gateway else ""


def _speeds(text: str) -> dict[str, int]:
    ports = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.isdigit() and int(value) <= _MAX_SPEED:
            ports[name] = int(value)
    return ports
