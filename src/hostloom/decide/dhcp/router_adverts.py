"""The router advertisements of a rack by interface; pure."""

from collections.abc import Sequence
from ipaddress import IPv6Network

from hostloom.decide.dhcp.serving_racks import racks_of
from hostloom.decide.hosts.stacked_tags import members
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import natural_key
from hostloom.model.network import Vlan
from hostloom.model.node import NodeInterface
from hostloom.model.rack import Rack
from hostloom.model.router_advert import RouterAdvert

#: Three times the interval of unsolicited advertisements (RFC 4861, 6.2.1).
ROUTER_LIFETIME_S = 1800


def router_adverts(snapshot: Snapshot, racks: Sequence[Rack], rack: Rack) -> tuple[RouterAdvert, ...]:
    """An advertisement for every interface of the rack on a VLAN that it serves, by interface name.

    Includes VLANs without IPv6, because iPXE waits 13 s for an advertisement. A default route is advertised
    only if the gateway of an IPv6 subnet is an address of the interface itself.
    """
    adverts = [_advert(snapshot, nic, vlan) for nic, vlan in served_interfaces(snapshot, racks, rack)]
    return tuple(sorted(adverts, key=lambda router_advert: natural_key(router_advert.interface)))


def served_interfaces(
    snapshot: Snapshot, racks: Sequence[Rack], rack: Rack
) -> tuple[tuple[NodeInterface, Vlan], ...]:
    """The rack's interfaces on VLANs that it serves directly, without members of bridges and bonds."""
    node = snapshot.node_by_system_id.get(rack.system_id)
    if node is None:
        return ()
    joined = members(node.interfaces)
    return tuple(
        (interface, vlan)
        for interface in node.interfaces
        if interface.name not in joined
        and interface.enabled
        and (vlan := _served(snapshot, racks, rack, interface))
    )


def _served(snapshot: Snapshot, racks: Sequence[Rack], rack: Rack, nic: NodeInterface) -> Vlan | None:
    vlan = None if nic.vlan_id is None else snapshot.vlan_by_id.get(nic.vlan_id)
    if vlan is None or not vlan.dhcp_on or rack not in racks_of(snapshot, racks, vlan):
        return None
    return vlan


def _advert(snapshot: Snapshot, nic: NodeInterface, vlan: Vlan) -> RouterAdvert:
    subnets = [subnet for subnet in snapshot.subnets_by_vlan.get(vlan.id, ()) if subnet.cidr.version == 6]
    is_router = any(subnet.gateway is not None and subnet.gateway in nic.ips for subnet in subnets)
    prefixes = tuple(subnet.cidr for subnet in subnets if isinstance(subnet.cidr, IPv6Network))
    lifetime_s = ROUTER_LIFETIME_S if is_router else 0
    return RouterAdvert(nic.name, vlan.mtu, prefixes, bool(prefixes), lifetime_s)
