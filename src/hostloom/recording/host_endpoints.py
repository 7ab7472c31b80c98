"""Detects one host under two URIs by their endpoints, before anything is sent to it."""

from ipaddress import ip_address

from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import Host
from hostloom.model.host_uri import HostUri, UriRules, parse_host_uri
from hostloom.model.ids import HostId
from hostloom.model.network import Address
from hostloom.ports.context import Ports
from hostloom.ports.hosts import Resolver
from hostloom.ports.store import UnitOfWork

#: The sockets of libvirt's daemons for each scheme.
_PORTS = {"qemu+ssh": 22, "qemu+tls": 16514}
_ALL_TESTS = UriRules(test_hosts=True)


def check_new_endpoint(uow: UnitOfWork, ports: Ports, uri: str, host_id: HostId | None = None) -> None:
    """Raise AlreadyExists if another host's URI, or an address of its node, leads to the same daemon.

    Other duplicates (through an unknown address or another port) are detected when the host is read.
    """
    host_uri = parse_host_uri(uri, ports.settings.uris)
    if host_uri.scheme == "test":
        return
    snapshot = uow.snapshot()
    addresses = _addresses(ports.resolver, host_uri)
    for state in snapshot.hosts:
        host = state.host
        if host.id != host_id and (problem := _same(snapshot, host, host_uri, addresses)):
            raise AlreadyExists("URI", uri, f"belongs to host {host.name!r} ({problem})")


def _same(snapshot: Snapshot, host: Host, endpoint: HostUri, addresses: frozenset[Address]) -> str:
    """Why a host has the same endpoint; empty if it has another one, as far as is known."""
    try:
        host_uri = parse_host_uri(host.uri, _ALL_TESTS)
    except InvalidValue:
        return ""  # a URI that only an earlier version accepted
    if host_uri.scheme == "test" or (host_uri.host is None) != (endpoint.host is None):
        return ""
    if host_uri.host is None or endpoint.host is None:
        return "this machine"
    if (host_uri.port or _PORTS[host_uri.scheme]) != (endpoint.port or _PORTS[endpoint.scheme]):
        return ""
    if _name(host_uri.host) == _name(endpoint.host):
        return f"the same host {endpoint.host}"
    common = addresses & _literal(host_uri.host) or _of_node(snapshot, host, addresses)
    return f"the same address {min(common, key=str)}" if common else ""


def _addresses(resolver: Resolver, uri: HostUri) -> frozenset[Address]:
    if uri.host is None:
        return frozenset()
    return frozenset(ip for ip in resolver.addresses(uri.host) if not ip.is_link_local)


def _of_node(snapshot: Snapshot, host: Host, addresses: frozenset[Address]) -> frozenset[Address]:
    """The addresses that only this node has: bridges of libvirt and Docker are alike on all hosts."""
    node = snapshot.node_of(host)
    if node is None:
        return frozenset()
    own_addresses = {
        ip for nic in node.interfaces for ip in nic.ips if ip in addresses and not ip.is_loopback
    }
    others = [other for other in snapshot.nodes if other.system_id != node.system_id] if own_addresses else []
    return frozenset(
        own_addresses.difference(ip for other in others for nic in other.interfaces for ip in nic.ips)
    )


def _literal(host: str) -> frozenset[Address]:
    try:
        return frozenset({ip_address(host)})
    except ValueError:
        return frozenset()


def _name(host: str) -> str:
    return host.lower().rstrip(".")
