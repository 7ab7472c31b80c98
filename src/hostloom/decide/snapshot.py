"""Everything a decision may look at, frozen at one revision, with the look-ups built once."""

from dataclasses import dataclass
from functools import cached_property

from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import FabricId, HostId, InterfaceId, SpaceId, SubnetId, SystemId, VlanId
from hostloom.model.network import Fabric, HeldAddress, IPRange, Space, Subnet, Vlan
from hostloom.model.node import Node


@dataclass(frozen=True)
class HostState:
    """A host and what is on it."""

    host: Host
    machines: tuple[PlacedMachine, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """One consistent state of the world; built by store/ or from a world file, never by a decision.

    Every tuple may come in any order: nothing decided depends on it.
    """

    fabrics: tuple[Fabric, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    spaces: tuple[Space, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    ranges: tuple[IPRange, ...] = ()
    #: Every address that somebody has: machines, nodes, users, leases.
    held: tuple[HeldAddress, ...] = ()
    nodes: tuple[Node, ...] = ()
    hosts: tuple[HostState, ...] = ()
    #: Counts up with every change of the store.
    revision: int = 0

    @cached_property
    def fabric_by_id(self) -> dict[FabricId, Fabric]:
        """Fabrics by id."""
        return {each.id: each for each in self.fabrics}

    @cached_property
    def vlan_by_id(self) -> dict[VlanId, Vlan]:
        """VLANs by id."""
        return {each.id: each for each in self.vlans}

    @cached_property
    def space_by_id(self) -> dict[SpaceId, Space]:
        """Spaces by id."""
        return {each.id: each for each in self.spaces}

    @cached_property
    def subnet_by_id(self) -> dict[SubnetId, Subnet]:
        """Subnets by id."""
        return {each.id: each for each in self.subnets}

    @cached_property
    def subnets_by_vlan(self) -> dict[VlanId, tuple[Subnet, ...]]:
        """Subnets of each VLAN: IPv4 first, then by network address, then by id."""
        found: dict[VlanId, list[Subnet]] = {}
        for each in self.subnets:
            found.setdefault(each.vlan_id, []).append(each)
        return {
            vlan: tuple(sorted(some, key=lambda s: (s.cidr.version, int(s.cidr.network_address), s.id)))
            for vlan, some in found.items()
        }

    @cached_property
    def ranges_by_subnet(self) -> dict[SubnetId, tuple[IPRange, ...]]:
        """Ranges of each subnet by start address."""
        found: dict[SubnetId, list[IPRange]] = {}
        for each in self.ranges:
            found.setdefault(each.subnet_id, []).append(each)
        return {key: tuple(sorted(some, key=lambda r: int(r.start))) for key, some in found.items()}

    @cached_property
    def node_by_system_id(self) -> dict[SystemId, Node]:
        """Nodes by system id."""
        return {each.system_id: each for each in self.nodes}

    @cached_property
    def host_by_id(self) -> dict[HostId, HostState]:
        """Hosts by id."""
        return {each.host.id: each for each in self.hosts}

    @cached_property
    def interface_owner(self) -> dict[InterfaceId, SystemId]:
        """The node of each interface id."""
        return {interface.id: node.system_id for node in self.nodes for interface in node.interfaces}

    @cached_property
    def bootable_vlans(self) -> frozenset[VlanId]:
        """VLANs that our DHCP serves, directly or through their relay VLAN; one hop."""
        served = {each.id for each in self.vlans if each.dhcp_on}
        relayed = {each.id for each in self.vlans if each.relay_vlan_id in served}
        return frozenset(served | relayed)

    @cached_property
    def indexes(self) -> dict[str, object]:
        """Where decisions keep indexes of their own for as long as the snapshot lives."""
        return {}

    def node_of(self, host: Host) -> Node | None:
        """The node that the host is correlated with."""
        system_id = host.correlation.system_id
        return None if system_id is None else self.node_by_system_id.get(system_id)
