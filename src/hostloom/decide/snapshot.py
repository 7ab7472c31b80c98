"""All inputs of a decision at one revision, with indexes that are built once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, TypeVar, overload

from hostloom.decide.persistent import LayeredMap
from hostloom.model.dhcp_exchange import ForeignDhcp
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import FabricId, HostId, SpaceId, SubnetId, SystemId, VlanId
from hostloom.model.network import Address, Fabric, HeldAddress, IPRange, Space, Subnet, Vlan, vlan_name
from hostloom.model.node import Node

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class HostState:
    """A host and the machines on it."""

    host: Host
    machines: tuple[PlacedMachine, ...] = ()


@dataclass(frozen=True)
class Delta:
    """What was added, changed or removed between two snapshots of the same network."""

    #: Changed ones in their present form; None: removed.
    nodes: Mapping[SystemId, Node | None] = field(default_factory=dict)
    hosts: Mapping[HostId, HostState | None] = field(default_factory=dict)
    gained: tuple[HeldAddress, ...] = ()
    lost: tuple[HeldAddress, ...] = ()


class Index(Protocol):
    """An index that a part of decide/ keeps together with a snapshot."""

    @property
    def needs(self) -> frozenset[str]:
        """The fields of Snapshot that it depends on."""
        ...

    def carried(self, after: "Snapshot", delta: Delta) -> "Index":
        """The index of a later snapshot; the cost depends on the changes only."""
        ...


@dataclass(frozen=True)
class Snapshot:
    """One consistent state of the records; built by store/ or from a world file, never by a decision.

    Decisions do not depend on the order of tuples.
    """

    fabrics: tuple[Fabric, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    spaces: tuple[Space, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    ranges: tuple[IPRange, ...] = ()
    #: Every address of a machine, node, user or lease.
    held: Collection[HeldAddress] = ()
    nodes: tuple[Node, ...] = ()
    hosts: tuple[HostState, ...] = ()
    #: Increases with every change of the store.
    revision: int = 0
    #: Foreign DHCP servers that the last probes found on the VLANs.
    foreign_dhcp: tuple[ForeignDhcp, ...] = ()
    #: VLANs on which our DHCP should have answered the last probe but did not.
    silent_vlans: frozenset[VlanId] = frozenset()

    @cached_property
    def fabric_by_id(self) -> dict[FabricId, Fabric]:
        """Fabrics by id."""
        return {fabric.id: fabric for fabric in self.fabrics}

    @cached_property
    def vlan_by_id(self) -> dict[VlanId, Vlan]:
        """VLANs by id."""
        return {vlan.id: vlan for vlan in self.vlans}

    @overload
    def vlan_name(self, vlan_id: VlanId) -> str: ...

    @overload
    def vlan_name(self, vlan_id: VlanId | None) -> str | None: ...

    def vlan_name(self, vlan_id: VlanId | None) -> str | None:
        """FABRIC/VID; None for no VLAN; KeyError for an unknown one."""
        if vlan_id is None:
            return None
        vlan = self.vlan_by_id[vlan_id]
        return vlan_name(self.fabric_by_id[vlan.fabric_id].name, vlan.vid)

    @cached_property
    def vlan_by_tag(self) -> dict[tuple[FabricId, int], Vlan]:
        """VLANs by fabric and VID."""
        return {(vlan.fabric_id, vlan.vid): vlan for vlan in self.vlans}

    @cached_property
    def space_by_id(self) -> dict[SpaceId, Space]:
        """Spaces by id."""
        return {space.id: space for space in self.spaces}

    @cached_property
    def subnet_by_id(self) -> dict[SubnetId, Subnet]:
        """Subnets by id."""
        return {subnet.id: subnet for subnet in self.subnets}

    @cached_property
    def subnets_by_vlan(self) -> dict[VlanId, tuple[Subnet, ...]]:
        """Subnets of each VLAN: IPv4 first, then by network address, then by id."""
        by_vlan: dict[VlanId, list[Subnet]] = {}
        for subnet in self.subnets:
            by_vlan.setdefault(subnet.vlan_id, []).append(subnet)
        return {
            vlan: tuple(sorted(subnets, key=lambda s: (s.cidr.version, int(s.cidr.network_address), s.id)))
            for vlan, subnets in by_vlan.items()
        }

    def subnets_on(self, vlan_id: VlanId | None, ips: Collection[Address] = ()) -> tuple[Subnet, ...]:
        """The subnets of a VLAN that contain one of the addresses; all of them if there are no addresses."""
        subnets = () if vlan_id is None else self.subnets_by_vlan.get(vlan_id, ())
        return tuple(subnet for subnet in subnets if not ips or any(ip in subnet.cidr for ip in ips))

    @cached_property
    def ranges_by_subnet(self) -> dict[SubnetId, tuple[IPRange, ...]]:
        """Ranges of each subnet by start address."""
        by_subnet: dict[SubnetId, list[IPRange]] = {}
        for range_ in self.ranges:
            by_subnet.setdefault(range_.subnet_id, []).append(range_)
        return {
            key: tuple(sorted(ip_ranges, key=lambda r: int(r.start))) for key, ip_ranges in by_subnet.items()
        }

    @cached_property
    def node_by_system_id(self) -> dict[SystemId, Node]:
        """Nodes by system id."""
        return {node.system_id: node for node in self.nodes}

    @cached_property
    def host_by_id(self) -> dict[HostId, HostState]:
        """Hosts by id."""
        return {host.host.id: host for host in self.hosts}

    @cached_property
    def bootable_vlans(self) -> frozenset[VlanId]:
        """VLANs that our DHCP serves, directly or through their relay VLAN; one hop."""
        served = {vlan.id for vlan in self.vlans if vlan.dhcp_on}
        relayed = {vlan.id for vlan in self.vlans if vlan.relay_vlan_id in served}
        return frozenset(served | relayed)

    @cached_property
    def foreign_by_vlan(self) -> dict[VlanId, tuple[ForeignDhcp, ...]]:
        """Foreign DHCP servers of each VLAN, by address."""
        servers_by_vlan: dict[VlanId, list[ForeignDhcp]] = {}
        for foreign_dhcp in sorted(self.foreign_dhcp, key=lambda f: (f.server.version, int(f.server), f.mac)):
            servers_by_vlan.setdefault(foreign_dhcp.vlan_id, []).append(foreign_dhcp)
        return {vlan: tuple(foreign_dhcps) for vlan, foreign_dhcps in servers_by_vlan.items()}

    @cached_property
    def held_by_ip(self) -> LayeredMap[Address, tuple[HeldAddress, ...]]:
        """The holders of each address; several if subnets overlap, or if it is both seen and reserved."""
        holders: dict[Address, list[HeldAddress]] = {}
        for address in self.held:
            holders.setdefault(address.ip, []).append(address)
        return LayeredMap({ip: tuple(holder) for ip, holder in holders.items()})

    @cached_property
    def held_by_node(self) -> LayeredMap[str, tuple[HeldAddress, ...]]:
        """The addresses that each node has, by its system id."""
        addresses: dict[str, list[HeldAddress]] = {}
        for held_address in self.held:
            if held_address.system_id is not None:
                addresses.setdefault(held_address.system_id, []).append(held_address)
        return LayeredMap({system_id: tuple(address) for system_id, address in addresses.items()})

    @cached_property
    def _subnets_by_prefix(self) -> dict[tuple[int, int], dict[int, list[Subnet]]]:
        """By (IP version, bits behind the prefix), then by the prefix as a number."""
        by_prefix: dict[tuple[int, int], dict[int, list[Subnet]]] = {}
        for subnet in sorted(self.subnets, key=lambda s: (-s.cidr.prefixlen, s.id)):
            shift = subnet.cidr.max_prefixlen - subnet.cidr.prefixlen
            prefix = int(subnet.cidr.network_address) >> shift
            by_prefix.setdefault((subnet.cidr.version, shift), {}).setdefault(prefix, []).append(subnet)
        return by_prefix

    def subnets_around(self, ip: Address) -> list[Subnet]:
        """The subnets that contain the address, the longest prefix first, then by id."""
        number, version = int(ip), ip.version
        return [
            subnet
            for (family, shift), subnets in self._subnets_by_prefix.items()
            if family == version
            for subnet in subnets.get(number >> shift, ())
        ]

    @cached_property
    def indexes(self) -> dict[str, Index]:
        """Indexes that parts of decide/ keep together with the snapshot."""
        return {}

    def node_of(self, host: Host) -> Node | None:
        """The node that the host is correlated with."""
        system_id = host.correlation.system_id
        return None if system_id is None else self.node_by_system_id.get(system_id)

    def carry(self, before: "Snapshot", delta: Delta) -> "Snapshot":
        """Take over every index of `before`, updated with the changes; returns self.

        This avoids building every index of the whole world again after every change. Indexes that depend on a
        changed part of the network are not carried, and are built again when they are needed.
        """
        built, current = vars(before), vars(self)
        same = {name for name in _NETWORK if getattr(before, name) is getattr(self, name)}
        for name, needs in _LOOKUPS.items():
            if name in built and needs <= same:
                current[name] = built[name]
        if "node_by_system_id" in built:
            current["node_by_system_id"] = _changed(before.node_by_system_id, delta.nodes)
        if "host_by_id" in built:
            current["host_by_id"] = _changed(before.host_by_id, delta.hosts)
        if "held_by_ip" in built:
            current["held_by_ip"] = _regained(before.held_by_ip, delta, lambda address: address.ip)
        if "held_by_node" in built:
            current["held_by_node"] = _regained(before.held_by_node, delta, lambda address: address.system_id)
        current["indexes"] = {
            name: index.carried(self, delta) for name, index in before.indexes.items() if index.needs <= same
        }
        return self

    def only(self, hosts: tuple[HostState, ...], nodes: tuple[Node, ...]) -> "Snapshot":
        """The same network and addresses with only these hosts and nodes; indexes are kept."""
        few = replace(self, hosts=hosts, nodes=nodes)
        built = vars(self)
        vars(few).update({name: built[name] for name in (*_LOOKUPS, *_HELD_LOOKUPS) if name in built})
        return few


_HELD_LOOKUPS = ("held_by_ip", "held_by_node")
_NETWORK = frozenset({"fabrics", "vlans", "spaces", "subnets", "ranges", "foreign_dhcp"})
#: Indexes that no machine or host changes, with the fields that they depend on.
_LOOKUPS = {
    "fabric_by_id": frozenset({"fabrics"}),
    "vlan_by_id": frozenset({"vlans"}),
    "vlan_by_tag": frozenset({"vlans"}),
    "bootable_vlans": frozenset({"vlans"}),
    "space_by_id": frozenset({"spaces"}),
    "subnet_by_id": frozenset({"subnets"}),
    "subnets_by_vlan": frozenset({"subnets"}),
    "_subnets_by_prefix": frozenset({"subnets"}),
    "ranges_by_subnet": frozenset({"ranges"}),
    "foreign_by_vlan": frozenset({"foreign_dhcp"}),
}


def _changed(before: dict[K, V], changes: Mapping[K, V | None]) -> dict[K, V]:
    if not changes:
        return before
    after = dict(before)
    for key, value in changes.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = value
    return after


def _regained(
    before: LayeredMap[K, tuple[HeldAddress, ...]], delta: Delta, key_of: Callable[[HeldAddress], K | None]
) -> LayeredMap[K, tuple[HeldAddress, ...]]:
    """The index after the changes; addresses without a key are not in it."""
    changes: dict[K, list[HeldAddress]] = {}
    for address in (*delta.lost, *delta.gained):
        if (key := key_of(address)) is not None:
            changes.setdefault(key, list(before.get(key, ())))
    for address in delta.lost:
        if (key := key_of(address)) is not None and address in changes[key]:
            changes[key].remove(address)
    for address in delta.gained:
        if (key := key_of(address)) is not None:
            changes[key].append(address)
    return before.changed({key: tuple(change) or None for key, change in changes.items()})
