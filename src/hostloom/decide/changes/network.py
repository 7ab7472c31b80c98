"""Changes of the network: DHCP service, removed VLANs, released addresses."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from hostloom.decide.changes.target import find_vlan
from hostloom.decide.snapshot import Delta, Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.hypothetical import HypotheticalChange
from hostloom.model.ids import VlanId
from hostloom.model.network import Address, AddressKind, HeldAddress, Subnet, Vlan, spans_of
from hostloom.model.node import Node, VlanSource

#: Kinds of addresses that can be released; observed and leased ones cannot.
GIVEN_BACK = (AddressKind.RESERVED, AddressKind.AUTO, AddressKind.STATIC)


def serve_vlan(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Serve the VLAN directly with our DHCP, even if it was relayed before."""
    vlan = find_vlan(snapshot, change.subject)
    return _with_vlan(snapshot, vlan, replace(vlan, dhcp_on=True, relay_vlan_id=None))


def stop_serving_vlan(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Stop serving the VLAN, directly or by relay; VLANs that are relayed through it also lose service."""
    vlan = find_vlan(snapshot, change.subject)
    return _with_vlan(snapshot, vlan, replace(vlan, dhcp_on=False, relay_vlan_id=None))


def lose_vlan(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Remove the VLAN with its subnets, ranges and held addresses; its interfaces are on an unknown VLAN."""
    vlan = find_vlan(snapshot, change.subject)
    subnet_ids = {subnet.id for subnet in snapshot.subnets if subnet.vlan_id == vlan.id}
    return replace(
        snapshot,
        vlans=tuple(_unrelayed(other, vlan.id) for other in snapshot.vlans if other is not vlan),
        subnets=tuple(subnet for subnet in snapshot.subnets if subnet.id not in subnet_ids),
        ranges=tuple(range_ for range_ in snapshot.ranges if range_.subnet_id not in subnet_ids),
        held=tuple(address for address in snapshot.held if address.subnet_id not in subnet_ids),
        nodes=tuple(_off_vlan(node, vlan.id) for node in snapshot.nodes),
    )


def free_address(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Release the address, in all fabrics with the prefix."""
    subnets = _find_subnets(snapshot, change.subject)
    ip = _address(change.value) if change.value else _first(snapshot, subnets)
    ids = {None, *(subnet.id for subnet in subnets)}
    lost = (
        tuple(address for address in snapshot.held_by_ip.get(ip, ()) if address.subnet_id in ids)
        if ip
        else ()
    )
    if ip is None or not lost or not any(ip in subnet.cidr for subnet in subnets):
        raise InvalidValue("value", change.value, f"is not an address of {change.subject} that is in use")
    remaining = tuple(address for address in snapshot.held if address not in lost)
    return replace(snapshot, held=remaining).carry(snapshot, Delta(lost=lost))


def held_to_give(snapshot: Snapshot, subnet: Subnet) -> list[HeldAddress]:
    """Held addresses that could be released and then assigned; reserved ones come first."""
    spans = spans_of(subnet, snapshot.ranges_by_subnet.get(subnet.id, ()))
    candidates = [
        address
        for address in snapshot.held
        if address.kind in GIVEN_BACK
        and address.subnet_id in (None, subnet.id)
        and address.ip in subnet.cidr
        and address.ip != subnet.gateway
        and any(low <= int(address.ip) <= high for low, high in spans)
    ]
    return sorted(candidates, key=lambda candidate: (GIVEN_BACK.index(candidate.kind), int(candidate.ip)))


def _with_vlan(snapshot: Snapshot, before: Vlan, after: Vlan) -> Snapshot:
    vlans = tuple(after if vlan is before else vlan for vlan in snapshot.vlans)
    return replace(snapshot, vlans=vlans).carry(snapshot, Delta())


def _unrelayed(vlan: Vlan, vlan_id: VlanId) -> Vlan:
    return replace(vlan, relay_vlan_id=None) if vlan.relay_vlan_id == vlan_id else vlan


def _off_vlan(node: Node, vlan_id: VlanId) -> Node:
    if all(interface.vlan_id != vlan_id for interface in node.interfaces):
        return node
    interfaces = (
        replace(interface, vlan_id=None, vlan_source=VlanSource.NONE)
        if interface.vlan_id == vlan_id
        else interface
        for interface in node.interfaces
    )
    return replace(node, interfaces=tuple(interfaces))


def _find_subnets(snapshot: Snapshot, name: str) -> list[Subnet]:
    try:
        cidr = ip_network(name)
    except ValueError:
        raise InvalidValue("subnet", name, "is not a CIDR", "write it like 10.0.0.0/24") from None
    subnets = [subnet for subnet in snapshot.subnets if subnet.cidr == cidr]
    if not subnets:
        raise InvalidValue("subnet", name, "does not exist", "give the CIDR of an existing subnet")
    return subnets


def _first(snapshot: Snapshot, subnets: list[Subnet]) -> Address | None:
    addresses = (address.ip for subnet in subnets for address in held_to_give(snapshot, subnet)[:1])
    return next(addresses, None)


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise InvalidValue("value", text, "is not an IPv4 or IPv6 address") from None
