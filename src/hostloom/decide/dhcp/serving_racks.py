"""The racks of VLANs, and the pairs of racks; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp import HaIntent, HaPeer, HaRole
from hostloom.model.ids import RackId, VlanId
from hostloom.model.network import Address, Vlan
from hostloom.model.node import Node
from hostloom.model.rack import Rack

#: Port of Kea's listener for the partner of a pair; DHCPv6 uses the next port.
HA_PORT = 8760


@dataclass(frozen=True, slots=True)
class Pair:
    """Two racks that serve the same VLANs, one of them as standby."""

    primary: Rack
    secondary: Rack


def racks_of(snapshot: Snapshot, racks: Sequence[Rack], vlan: Vlan) -> tuple[Rack, ...]:
    """The racks that serve a VLAN, directly or through its relay VLAN: primary, then secondary; may be none.

    Without a primary rack, the first rack by id with an interface on the VLAN serves it, else the first rack.
    """
    if not vlan.dhcp_on:
        via = None if vlan.relay_vlan_id is None else snapshot.vlan_by_id[vlan.relay_vlan_id]
        return () if via is None or not via.dhcp_on else racks_of(snapshot, racks, via)
    by_id: dict[RackId | None, Rack] = {rack.id: rack for rack in racks}
    primary = by_id.get(vlan.primary_rack_id) or _nearest(snapshot, racks, vlan)
    secondary = by_id.get(vlan.secondary_rack_id)
    return tuple(dict.fromkeys(rack for rack in (primary, secondary) if rack is not None))


def served_by(snapshot: Snapshot, racks: Sequence[Rack], rack: Rack) -> frozenset[VlanId]:
    """The VLANs in a rack's configuration: those that it serves, and those of its partner."""
    pair = pair_of(snapshot, racks, rack)
    rack_ids = {rack.id} if pair is None else {pair.primary.id, pair.secondary.id}
    return frozenset(
        vlan_id
        for vlan_id in snapshot.bootable_vlans
        if any(rack.id in rack_ids for rack in racks_of(snapshot, racks, snapshot.vlan_by_id[vlan_id]))
    )


def pair_of(snapshot: Snapshot, racks: Sequence[Rack], rack: Rack) -> Pair | None:
    """The pair of a rack; if VLANs name different pairs, the first VLAN by id counts."""
    for vlan in sorted(snapshot.vlans, key=lambda candidate: candidate.id):
        if vlan.dhcp_on and vlan.secondary_rack_id is not None:
            racks_of_vlan = racks_of(snapshot, racks, vlan)
            if len(racks_of_vlan) == 2 and rack.id in (racks_of_vlan[0].id, racks_of_vlan[1].id):
                return Pair(*racks_of_vlan)
    return None


def other_pair(
    snapshot: Snapshot, racks: Sequence[Rack], vlan: Vlan, primary: RackId, secondary: RackId
) -> tuple[Vlan, Pair] | None:
    """Another VLAN with a different pair for one of the racks: in Kea 2.2 a server has only one partner."""
    for other_vlan in sorted(snapshot.vlans, key=lambda v: v.id):
        if other_vlan.id == vlan.id or not other_vlan.dhcp_on or other_vlan.secondary_rack_id is None:
            continue
        vlan_racks = racks_of(snapshot, racks, other_vlan)
        names = tuple(rack.id for rack in vlan_racks)
        if len(names) == 2 and {primary, secondary} & set(names) and names != (primary, secondary):
            return other_vlan, Pair(*vlan_racks)
    return None


def ha_intent(snapshot: Snapshot, racks: Sequence[Rack], rack: Rack) -> HaIntent | None:
    """The HA settings of a rack; None without a partner or without a known path to it."""
    pair = pair_of(snapshot, racks, rack)
    if pair is None:
        return None
    nodes = [snapshot.node_by_system_id.get(rack.system_id) for rack in (pair.primary, pair.secondary)]
    way = None if nodes[0] is None or nodes[1] is None else _way(nodes[0], nodes[1])
    if way is None:
        return None
    peers = (
        HaPeer(pair.primary.name, HaRole.PRIMARY, way[0], HA_PORT),
        HaPeer(pair.secondary.name, HaRole.STANDBY, way[1], HA_PORT),
    )
    return HaIntent(rack.name, peers)


def _nearest(snapshot: Snapshot, racks: Sequence[Rack], vlan: Vlan) -> Rack | None:
    def is_near(rack: Rack) -> bool:
        node = snapshot.node_by_system_id.get(rack.system_id)
        return node is not None and any(interface.vlan_id == vlan.id for interface in node.interfaces)

    return min(racks, key=lambda rack: (not is_near(rack), rack.id), default=None)


def _way(one: Node, other: Node) -> tuple[Address, Address] | None:
    """Addresses of two nodes that reach each other: on a common network, else any two."""
    own_addresses, other_addresses = _addresses(one), _addresses(other)
    for first in own_addresses:
        for second in other_addresses:
            if second.ip in first.network and first.ip != second.ip:
                return first.ip, second.ip
    routed = [
        (first.ip, second.ip)
        for first in own_addresses
        for second in other_addresses
        if first.ip.version == second.ip.version
    ]
    return routed[0] if routed else None


def _addresses(node: Node) -> list[IPv4Interface | IPv6Interface]:
    """The reachable addresses of a node, IPv4 first."""
    addresses = [address for interface in node.interfaces for address in interface.addresses]
    return sorted(
        (address for address in addresses if not address.ip.is_link_local and not address.ip.is_loopback),
        key=lambda address: (address.version, int(address.ip)),
    )
