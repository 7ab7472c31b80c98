"""New networks of a scan: fabrics, VLANs and subnets with negative ids."""

from collections.abc import Iterable

from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import FabricId, SubnetId, VlanId
from hostloom.model.network import (
    DEFAULT_MTU,
    MAX_MTU,
    MIN_MTU,
    UNTAGGED,
    Address,
    Fabric,
    Network,
    Subnet,
    Vlan,
)
from hostloom.model.observed import ObservedLink, ObservedRoute


class NewNetwork:
    """The known network, and the additions."""

    def __init__(self, snapshot: Snapshot, routes: Iterable[ObservedRoute], recorded: frozenset[str]) -> None:
        """`recorded` are the links of the node that are recorded as its interfaces."""
        self._snapshot, self._routes, self._recorded = snapshot, tuple(routes), recorded
        self.fabrics: list[Fabric] = []
        self.vlans: list[Vlan] = []
        self.subnets: list[Subnet] = []

    def subnet_around(self, ip: Address) -> Subnet | None:
        """The subnet that contains an address: the longest prefix, then the lowest id."""
        subnets = [subnet for subnet in (*self._snapshot.subnets, *self.subnets) if ip in subnet.cidr]
        return max(subnets, key=lambda subnet: (subnet.cidr.prefixlen, -subnet.id), default=None)

    def vlan(self, vlan_id: VlanId | None) -> Vlan | None:
        """By id."""
        return next((vlan for vlan in (*self._snapshot.vlans, *self.vlans) if vlan.id == vlan_id), None)

    def tagged(self, beside: Vlan, vid: int, mtu: int | None = None) -> VlanId:
        """The VLAN with this tag on the fabric of another VLAN. A new one gets the other's MTU."""
        vlans = (*self._snapshot.vlans, *self.vlans)
        same = (vlan for vlan in vlans if vlan.fabric_id == beside.fabric_id and vlan.vid == vid)
        existing = next(same, None)
        return (existing or self._add_vlan(beside.fabric_id, vid, mtu or beside.mtu)).id

    def add_subnet(self, cidr: Network, link: ObservedLink, vid: int) -> VlanId:
        """Add a subnet on a VLAN of a new fabric, because its connection to other fabrics is unknown."""
        fabric = self._add_fabric()
        vlan = self._add_vlan(fabric.id, vid, link.mtu)
        number = SubnetId(-len(self.subnets) - 1)
        gateway = self._gateway(cidr, link)
        self.subnets.append(Subnet(number, cidr, vlan.id, str(cidr), gateway, automatic=True))
        return vlan.id

    def _gateway(self, cidr: Network, link: ObservedLink) -> Address | None:
        """The next hop of the best default route that goes through the link to a router of the subnet."""
        defaults = [route for route in self._routes if route.destination is None and route.gateway]
        for route in sorted(defaults, key=lambda route: route.metric):
            # A route through a link that is not recorded goes through a child of a recorded one.
            if route.interface != link.name and route.interface in self._recorded:
                continue
            gateway = route.next_hop
            if gateway is None or gateway.version != cidr.version:
                continue
            if gateway in cidr or (gateway.is_link_local and route.interface == link.name):
                return gateway
        return None

    def _add_fabric(self) -> Fabric:
        used_names = {fabric.name for fabric in (*self._snapshot.fabrics, *self.fabrics)}
        number = next(n for n in range(len(used_names) + 1) if f"fabric-{n}" not in used_names)
        fabric = Fabric(FabricId(-len(self.fabrics) - 1), f"fabric-{number}", automatic=True)
        self.fabrics.append(fabric)
        return fabric

    def _add_vlan(self, fabric_id: FabricId, vid: int, mtu: int) -> Vlan:
        name = "untagged" if vid == UNTAGGED else f"vlan-{vid}"
        usable_mtu = mtu if MIN_MTU <= mtu <= MAX_MTU else DEFAULT_MTU
        vlan = Vlan(VlanId(-len(self.vlans) - 1), fabric_id, vid, name, usable_mtu, automatic=True)
        self.vlans.append(vlan)
        return vlan
