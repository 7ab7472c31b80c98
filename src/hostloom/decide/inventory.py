"""Inventory: what a scan saw becomes a node's interfaces, each with the VLAN that it is on (DESIGN 2.2a)."""

from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv6Interface

from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import FabricId, InterfaceId, SubnetId, VlanId, natural_key
from hostloom.model.network import UNTAGGED, Fabric, Network, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, VlanSource
from hostloom.model.observed import ObservedLink, ObservedNetwork


@dataclass(frozen=True)
class Inventory:
    """A node's interfaces, and the network that has to be made for them.

    What is new has negative ids, and interfaces refer to new VLANs by them: the store creates fabrics, then
    VLANs (a new fabric's untagged one comes with it), then subnets, and puts the real ids in their place.
    """

    interfaces: tuple[NodeInterface, ...]
    new_fabrics: tuple[Fabric, ...]
    new_vlans: tuple[Vlan, ...]
    new_subnets: tuple[Subnet, ...]


def take_inventory(
    observed: ObservedNetwork,
    recorded: Node | None,
    snapshot: Snapshot,
    own_bridges: frozenset[str] = frozenset(),
) -> Inventory:
    """Find every interface's VLAN: operator, subnet, parent, port, master; else none.

    The addresses of `own_bridges` say nothing: libvirt gives every host's NAT bridge the same one.
    """
    return _Inventory(observed, recorded, snapshot, own_bridges).take()


class _Inventory:
    def __init__(
        self,
        observed: ObservedNetwork,
        recorded: Node | None,
        snapshot: Snapshot,
        own_bridges: frozenset[str],
    ) -> None:
        self._snapshot, self._own_bridges = snapshot, own_bridges
        links = [each for each in observed.links if each.kind is not None]
        self._links = {each.name: each for each in sorted(links, key=lambda link: natural_key(link.name))}
        self._recorded = {each.name: each for each in (recorded.interfaces if recorded else ())}
        self._found: dict[str, tuple[VlanId | None, VlanSource]] = {}
        self._fabrics: list[Fabric] = []
        self._vlans: list[Vlan] = []
        self._subnets: list[Subnet] = []

    def take(self) -> Inventory:
        for name in self._links:
            self._find_own(name)
        for name in self._links:
            self._find_derived(name, frozenset())
        self._show_masters()
        interfaces = tuple(self._interface(link) for link in self._links.values())
        return Inventory(interfaces, tuple(self._fabrics), tuple(self._vlans), tuple(self._subnets))

    # -- what an interface says of itself ----------------------------------------------------------------

    def _find_own(self, name: str) -> None:
        """The operator's word, then the subnet of an address; a new subnet for an address in none."""
        link = self._links[name]
        before = self._recorded.get(name)
        if before is not None and before.vlan_source is VlanSource.OPERATOR:
            self._found[name] = before.vlan_id, VlanSource.OPERATOR
        elif link.kind is not InterfaceKind.LOOPBACK and name not in self._own_bridges:
            for address in link.addresses:
                vlan_id = self._vlan_of(address)
                if vlan_id is not None:
                    self._found[name] = vlan_id, VlanSource.SUBNET
                    return

    def _vlan_of(self, address: IPv4Interface | IPv6Interface) -> VlanId | None:
        if address.network.prefixlen == address.network.max_prefixlen or address.ip.is_link_local:
            return None
        known = [each for each in (*self._snapshot.subnets, *self._subnets) if address.ip in each.cidr]
        if known:
            return max(known, key=lambda s: (s.cidr.prefixlen, -s.id)).vlan_id
        return self._new_subnet(address.network)

    def _new_subnet(self, cidr: Network) -> VlanId:
        """On a new fabric's untagged VLAN: nothing is known of how it is joined to others."""
        fabric = self._new_fabric()
        vlan = self._new_vlan(fabric.id, UNTAGGED)
        number = SubnetId(-len(self._subnets) - 1)
        self._subnets.append(Subnet(number, cidr, vlan.id, str(cidr)))
        return vlan.id

    def _new_fabric(self) -> Fabric:
        taken = {each.name for each in (*self._snapshot.fabrics, *self._fabrics)}
        number = next(n for n in range(len(taken) + 1) if f"fabric-{n}" not in taken)
        fabric = Fabric(FabricId(-len(self._fabrics) - 1), f"fabric-{number}")
        self._fabrics.append(fabric)
        return fabric

    def _new_vlan(self, fabric_id: FabricId, vid: int) -> Vlan:
        name = "untagged" if vid == UNTAGGED else f"vlan-{vid}"
        vlan = Vlan(VlanId(-len(self._vlans) - 1), fabric_id, vid, name)
        self._vlans.append(vlan)
        return vlan

    # -- what follows from others ------------------------------------------------------------------------

    def _find_derived(self, name: str, below: frozenset[str]) -> VlanId | None:
        """A VLAN interface: its parent's fabric and its tag; a bridge: what its port has."""
        if name in self._found:
            return self._found[name][0]
        link = self._links.get(name)
        if link is None or name in below:
            return None
        if link.kind is InterfaceKind.VLAN:
            found = self._by_tag(link, below | {name}), VlanSource.PARENT
        elif link.kind in (InterfaceKind.BRIDGE, InterfaceKind.BOND):
            found = self._by_ports(link, below | {name}), VlanSource.PORT
        else:
            return None
        if found[0] is not None:
            self._found[name] = found
        return found[0]

    def _by_tag(self, link: ObservedLink, below: frozenset[str]) -> VlanId | None:
        for parent in link.parents:
            parent_vlan = self._find_derived(parent, below) or self._find_master(parent, below)
            vlan = self._vlan(parent_vlan)
            if vlan is not None and link.tag_vid is not None:
                known = (*self._snapshot.vlans, *self._vlans)
                same = (v for v in known if v.fabric_id == vlan.fabric_id and v.vid == link.tag_vid)
                return (next(same, None) or self._new_vlan(vlan.fabric_id, link.tag_vid)).id
        return None

    def _by_ports(self, link: ObservedLink, below: frozenset[str]) -> VlanId | None:
        return next((v for v in (self._find_derived(p, below) for p in link.parents) if v is not None), None)

    def _find_master(self, name: str, below: frozenset[str]) -> VlanId | None:
        """The VLAN of what a link is a member of."""
        for each in self._links.values():
            if each.kind in (InterfaceKind.BRIDGE, InterfaceKind.BOND) and name in each.parents:
                return self._find_derived(each.name, below)
        return None

    def _vlan(self, vlan_id: VlanId | None) -> Vlan | None:
        return next((v for v in (*self._snapshot.vlans, *self._vlans) if v.id == vlan_id), None)

    def _show_masters(self) -> None:
        """A member of a bridge or bond shows the VLAN of what it is a member of, from the top down."""
        masters = [
            each for each in self._links.values() if each.kind in (InterfaceKind.BRIDGE, InterfaceKind.BOND)
        ]
        for _ in range(2):  # bridge over bond over NIC
            for master in masters:
                vlan_id = self._found.get(master.name, (None, VlanSource.NONE))[0]
                for member in master.parents:
                    own = self._found.get(member)
                    if vlan_id is not None and (own is None or own[1] is not VlanSource.OPERATOR):
                        self._found[member] = vlan_id, VlanSource.MASTER

    def _interface(self, link: ObservedLink) -> NodeInterface:
        vlan_id, source = self._found.get(link.name, (None, VlanSource.NONE))
        before = self._recorded.get(link.name)
        interface = NodeInterface(
            before.id if before else InterfaceId(0),
            link.name,
            link.kind or InterfaceKind.PHYSICAL,
            link.mac,
            vlan_id,
            source,
            link.addresses,
            link.parents,
            link.bridge_kind,
            link.tag_vid,
            link.enabled,
            link.link,
            link.mtu,
            link.link_speed,
        )
        return replace(interface, tags=before.tags) if before else interface
