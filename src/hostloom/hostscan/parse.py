"""What the scan's script prints, as links, addresses and routes.

Kept of addresses: global and unique-local ones. Link-local ones (fe80::/10, 169.254.0.0/16) and loopback ones
say nothing about the network that a link is on and are the same on every host; temporary IPv6 addresses
(RFC 8981) come and go, and duplicates that the kernel found are not in use.
"""

import contextlib
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any

from hostloom.hostscan.commands import cut
from hostloom.hostscan.objects import LINK, ROUTE, read_objects
from hostloom.hostscan.openvswitch import OpenVSwitch, parse_openvswitch
from hostloom.hostscan.shape import MAX_ROUTES, is_name, shape_links
from hostloom.model.attachment import MacvlanMode
from hostloom.model.errors import HostUnreadable, InvalidValue
from hostloom.model.finding import Finding, Findings
from hostloom.model.ids import MacAddress, natural_key
from hostloom.model.network import DEFAULT_MTU
from hostloom.model.node import BridgeKind, InterfaceKind
from hostloom.model.observed import ObservedLink, ObservedNetwork, ObservedRoute

_KINDS = {
    "bond": InterfaceKind.BOND,
    "team": InterfaceKind.BOND,
    "bridge": InterfaceKind.BRIDGE,
    "vlan": InterfaceKind.VLAN,
}
_MACVLANS = ("macvtap", "macvlan")
#: The kernel's name for "a port of some Open vSwitch bridge".
_OVS_MASTER = "ovs-system"
#: Mbit/s; drivers that do not know their speed say -1, some as an unsigned number.
_MAX_SPEED = 10_000_000
#: Throw-away probes of hostloom (wire/agent.py) are named so: they come and go, and are no NIC of the host.
PROBES = "hlp"
#: As DNS limits them.
MAX_HOSTNAME = 253


def parse(text: str, host: str) -> ObservedNetwork:
    """What `commands.SCRIPT` printed on a host; HostUnreadable if it tells no link."""
    findings = Findings()
    parts = cut(text, host, findings)
    raw = shape_links(read_objects(parts["addr"], "links", "link", LINK, findings), findings)
    if not raw:
        raise HostUnreadable(host, "links", "; ".join(map(str, findings.all())) or "there is none")
    links = _Links(raw, _openvswitch(parts, raw, findings), _speeds(parts.get("speed", "")))
    routes = _read_routes(parts, findings)
    read = links.read(findings)
    return ObservedNetwork(
        _hostname(parts, findings), read, routes, findings.all(), _unread(read, findings.all())
    )


def _unread(read: tuple[ObservedLink, ...], findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Names of links that findings speak of and that were not read."""
    names = {link.name for link in read}
    unread = (finding.part.removeprefix("link ") for finding in findings if finding.part.startswith("link "))
    return tuple(name for name in unread if name not in names)


def _hostname(parts: dict[str, str], findings: Findings) -> str:
    hostname = parts.get("hostname", "")
    if len(hostname) > MAX_HOSTNAME or not hostname.isprintable():
        findings.add("hostname", f"at most {MAX_HOSTNAME} printable characters", hostname)
        return ""
    return hostname


def _openvswitch(parts: dict[str, str], raw: dict[str, Any], findings: Findings) -> OpenVSwitch:
    """What Open vSwitch says; unknown, with a finding, where the host has its links but not its tables."""
    ovs = parse_openvswitch("", "", "")
    with findings.reading("Open vSwitch", "its tables as `ovs-vsctl --format=json list` prints them"):
        ovs = parse_openvswitch(*(parts.get(f"ovs-{table}", "") for table in ("bridge", "port", "interface")))
    if not ovs.is_known and any(_info_kind(link) == "openvswitch" for link in raw.values()):
        cause = "nothing: ovs-vsctl is not there, or this login may not read its database"
        findings.add("Open vSwitch", "its bridges and ports, as ovs-vsctl lists them", cause)
    return ovs


def _read_routes(parts: dict[str, str], findings: Findings) -> tuple[ObservedRoute, ...]:
    found: list[ObservedRoute] = []
    for part, label in (("route4", "IPv4 routes"), ("route6", "IPv6 routes")):
        objects = read_objects(parts.get(part, ""), label, "route", ROUTE, findings)
        if len(objects) > MAX_ROUTES:
            findings.add(label, f"at most {MAX_ROUTES}", f"{len(objects)}, of which the first are read")
        for route in objects[:MAX_ROUTES]:
            with findings.reading(f"route {route.get('dst', '')}", "a destination with next hops"):
                found += _routes(route)
    return tuple(found)


class _Links:
    """Every link by name, with what is needed to judge each."""

    def __init__(self, raw: dict[str, Any], ovs: OpenVSwitch, speeds: dict[str, int]) -> None:
        self._raw, self._ovs, self._speeds = raw, ovs, speeds
        self._has_own_nic = any(_is_nic(each) for each in raw.values())
        self._kinds = {name: self._kind(name, each) for name, each in raw.items()}

    def read(self, findings: Findings) -> tuple[ObservedLink, ...]:
        found = []
        for name, link in self._raw.items():
            with findings.reading(f"link {name}", "a link as `ip -j -d addr show` prints it"):
                found.append(self._link(name, link))
        return tuple(found)

    def _link(self, name: str, each: dict[str, Any]) -> ObservedLink:
        kind, is_ovs, parents = self._kinds[name], name in self._ovs.bridges, self._parents(name)
        bridge = BridgeKind.OVS if is_ovs else BridgeKind.STANDARD if kind is InterfaceKind.BRIDGE else None
        flags = each.get("flags", [])
        return ObservedLink(
            name,
            kind,
            _mac(each, kind),
            # The state of an Open vSwitch bridge's own device says nothing: it switches without it.
            "UP" in flags or is_ovs,
            self._has_carrier(name, flags, parents),
            int(each.get("mtu", DEFAULT_MTU)),
            tuple(address for info in each.get("addr_info", []) if (address := _address(info))),
            parents,
            bridge,
            self._tag(name, each),
            self._speed(name, kind, parents),
            self._master(name, each),
            _macvlan_mode(each),
        )

    def _kind(self, name: str, each: dict[str, Any]) -> InterfaceKind | None:
        """What carries or could carry a machine; None for what belongs to guests, containers and tunnels."""
        info = _info_kind(each)
        if info == "veth" and name.startswith(PROBES):
            return None
        if name in self._ovs.bridges:
            return InterfaceKind.BRIDGE
        if each.get("link_type") == "loopback":
            return InterfaceKind.LOOPBACK
        if (port := self._ovs.ports.get(name)) is not None and port.is_internal:
            return self._internal_kind(name, each)
        if each.get("master") == _OVS_MASTER and not self._ovs.is_known:
            # A port of a bridge that we cannot see: taken as a free NIC it would be used wrongly.
            return None
        if info is None:
            return InterfaceKind.PHYSICAL if _is_nic(each) else None
        if info == "veth":
            return InterfaceKind.PHYSICAL if self._is_own_veth(each) else None
        return _KINDS.get(info)

    def _internal_kind(self, name: str, each: dict[str, Any]) -> InterfaceKind | None:
        """Tagged: a VLAN interface on its bridge; untagged: the host's own if it has an address."""
        if self._ovs.ports[name].tag_vid is not None:
            return InterfaceKind.VLAN
        return InterfaceKind.PHYSICAL if any(map(_address, each.get("addr_info", []))) else None

    def _is_own_veth(self, each: dict[str, Any]) -> bool:
        """The NIC of a host that is itself a container, not our end of a container's.

        Of both, the other end is in another namespace. But a container's has no address here, and is found
        on machines that have NICs of their own.
        """
        if "link_netnsid" not in each:
            return False
        return not self._has_own_nic or any(map(_address, each.get("addr_info", [])))

    def _parents(self, name: str) -> tuple[str, ...]:
        """Ports or members that are NICs of the host; taps of machines are none. Of a VLAN, what it is on."""
        if name in self._ovs.bridges:
            found = [p for p in self._ovs.plugged_into(name) if not self._ovs.ports[p].is_internal]
        elif self._kinds[name] is InterfaceKind.VLAN:
            port = self._ovs.ports.get(name)
            below = port.bridge if port else self._raw[name].get("link")
            return (below,) if below in self._raw else ()
        elif _info_kind(each := self._raw[name]) in _MACVLANS:
            return (each["link"],) if each.get("link") in self._raw else ()
        elif self._kinds[name] in (InterfaceKind.BRIDGE, InterfaceKind.BOND):
            found = [port for port, other in self._raw.items() if other.get("master") == name]
        else:
            return ()
        return tuple(sorted((p for p in found if self._kinds.get(p) is not None), key=natural_key))

    def _has_carrier(self, name: str, flags: list[str], parents: tuple[str, ...]) -> bool:
        """A bridge without ports has no carrier until its first machine: not link-down (DESIGN 2.3)."""
        if name in self._ovs.bridges:
            return not parents or any("LOWER_UP" in self._raw[p].get("flags", []) for p in parents)
        idle_bridge = self._kinds[name] is InterfaceKind.BRIDGE and "UP" in flags and not parents
        return "LOWER_UP" in flags or idle_bridge

    def _tag(self, name: str, each: dict[str, Any]) -> int | None:
        if self._kinds[name] is not InterfaceKind.VLAN:
            return None
        if name in self._ovs.ports:
            return self._ovs.ports[name].tag_vid
        vid = each.get("linkinfo", {}).get("info_data", {}).get("id")
        return None if vid is None else int(vid)

    def _speed(self, name: str, kind: InterfaceKind | None, parents: tuple[str, ...]) -> int:
        """Mbit/s; a bridge's is that of its fastest NIC: itself it counts the taps of machines, too."""
        if kind is InterfaceKind.BRIDGE:
            return max((self._speeds.get(parent, 0) for parent in parents), default=0)
        return 0 if kind is None else self._speeds.get(name, 0)

    def _master(self, name: str, each: dict[str, Any]) -> str:
        if name in self._ovs.ports:
            return self._ovs.ports[name].bridge
        master: str = each.get("master", "")
        return master


def _info_kind(each: dict[str, Any]) -> str | None:
    kind: str | None = each.get("linkinfo", {}).get("info_kind")
    return kind


def _macvlan_mode(each: dict[str, Any]) -> MacvlanMode | None:
    """`source`, which no machine has, is none."""
    mode = each.get("linkinfo", {}).get("info_data", {}).get("mode")
    return MacvlanMode(mode) if _info_kind(each) in _MACVLANS and mode in list(MacvlanMode) else None


def _is_nic(each: dict[str, Any]) -> bool:
    return each.get("link_type") == "ether" and _info_kind(each) is None


def _mac(each: dict[str, Any], kind: InterfaceKind | None) -> MacAddress | None:
    """The NIC's own: a bond lends its members its address, and a passthru machine may set another."""
    own = None
    if kind is InterfaceKind.PHYSICAL:
        # iproute2 before 5.6 tells it only of members of bonds.
        own = each.get("permaddr") or each["linkinfo"].get("info_slave_data", {}).get("perm_hwaddr")
    for text in (own, each.get("address")):
        with contextlib.suppress(InvalidValue):
            mac = MacAddress.parse(text if isinstance(text, str) else "")
            if mac.is_unicast:
                return mac
    return None


def _address(info: dict[str, Any]) -> IPv4Interface | IPv6Interface | None:
    if "local" not in info or info.get("temporary") or info.get("dadfailed"):
        return None
    address = ip_interface(f"{info['local']}/{info['prefixlen']}")
    return None if address.ip.is_link_local or address.ip.is_loopback else address


def _routes(route: dict[str, Any]) -> list[ObservedRoute]:
    """One for each next hop; none for what leads nowhere (blackhole, unreachable)."""
    destination = None if route["dst"] == "default" else ip_network(str(route["dst"]), strict=False)
    if destination is not None and destination.is_link_local:
        return []
    hops = [hop for hop in route.get("nexthops") or [route] if "dev" in hop]
    if not all(is_name(hop["dev"]) for hop in hops):
        raise ValueError("a next hop whose device has no name")
    return [ObservedRoute(destination, _gateway(hop), hop["dev"]) for hop in hops]


def _gateway(hop: dict[str, Any]) -> str:
    """An IPv4 route may have an IPv6 gateway (`via`)."""
    gateway = hop.get("gateway") or hop.get("via", {}).get("host", "")
    return str(ip_address(gateway)) if gateway else ""


def _speeds(text: str) -> dict[str, int]:
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.isdigit() and int(value) <= _MAX_SPEED:
            found[name] = int(value)
    return found
