"""The contents of a snapshot by key, so that the cost of an update depends on the size of the change."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hostloom.decide.layered_map import LayeredMap
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import HostId, SystemId
from hostloom.model.network import Address, AddressKind, HeldAddress
from hostloom.model.node import Node, NodeInterface
from hostloom.store.topology import Topology

K = TypeVar("K")
V = TypeVar("V")
Placed = dict[SystemId, PlacedMachine]


@dataclass(frozen=True)
class Removed:
    """Keys of the rows removed since a revision."""

    nodes: Sequence[SystemId] = ()
    hosts: Sequence[HostId] = ()
    machines: Sequence[SystemId] = ()
    addresses: Sequence[int] = ()


@dataclass(frozen=True)
class Changes:
    """Changes since a revision."""

    removed: Removed = Removed()
    nodes: Mapping[SystemId, Node] = field(default_factory=dict)
    hosts: Mapping[HostId, Host] = field(default_factory=dict)
    #: Where each changed machine is now.
    machines: Sequence[tuple[HostId, SystemId, PlacedMachine]] = ()
    #: By row id.
    held: Mapping[int, HeldAddress] = field(default_factory=dict)


class _AllHeld(Collection[HeldAddress]):
    """The stored addresses and the observed ones, put together only where they are read one by one."""

    def __init__(
        self,
        stored: LayeredMap[int, HeldAddress],
        observed: Mapping[SystemId, tuple[HeldAddress, ...]],
    ) -> None:
        self._stored, self._observed = stored, observed

    def __iter__(self) -> Iterator[HeldAddress]:
        yield from self._stored.values()
        for addresses in self._observed.values():
            yield from addresses

    def __len__(self) -> int:
        return len(self._stored) + sum(map(len, self._observed.values()))

    def __contains__(self, held: object) -> bool:
        return any(held == item for item in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _AllHeld) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True)
class SnapshotSource:
    """One revision; `changed` makes the next one, which shares unchanged parts."""

    revision: int = -1
    topology: Topology = field(default_factory=Topology)
    nodes: dict[SystemId, Node] = field(default_factory=dict)
    observed: dict[SystemId, tuple[HeldAddress, ...]] = field(default_factory=dict)
    states: dict[HostId, HostState] = field(default_factory=dict)
    placed: dict[HostId, Placed] = field(default_factory=dict)
    held: LayeredMap[int, HeldAddress] = field(default_factory=LayeredMap)
    snapshot: Snapshot = field(default_factory=Snapshot)

    def changed(self, revision: int, topology: Topology, changes: Changes) -> "SnapshotSource":
        """The world at a later revision."""
        removed = changes.removed
        nodes = _merged(self.nodes, changes.nodes, removed.nodes)
        held = self.held.changed({**dict.fromkeys(removed.addresses), **changes.held})
        placed = _place(self.placed, changes)
        is_same = topology is self.topology
        observed_nodes = changes.nodes if is_same else nodes
        fresh = {key: observe(node, topology) for key, node in observed_nodes.items()}
        observed = _merged(self.observed, fresh, removed.nodes) if is_same else fresh
        moved = self._moved(changes, placed)
        states = _merged(self.states, moved, removed.hosts)
        snapshot = _snapshot(revision, topology, nodes, observed, states, held)
        if is_same:
            gained, lost = self._addresses(changes, observed)
            delta = Delta(
                {**dict.fromkeys(removed.nodes), **changes.nodes},
                {**dict.fromkeys(removed.hosts), **moved},
                gained,
                lost,
            )
            snapshot = snapshot.carry(self.snapshot, delta)
        return SnapshotSource(revision, topology, nodes, observed, states, placed, held, snapshot)

    def _moved(self, changes: Changes, placed: Mapping[HostId, Placed]) -> dict[HostId, HostState]:
        """Changed hosts and hosts with changed machines; removed hosts are excluded."""
        moved = [key for key, machines in placed.items() if machines is not self.placed.get(key)]
        remaining_hosts = self.states.keys() - set(changes.removed.hosts)
        hosts = {key: self.states[key].host for key in moved if key in remaining_hosts} | dict(changes.hosts)
        return {key: HostState(host, tuple(placed.get(key, {}).values())) for key, host in hosts.items()}

    def _addresses(
        self, changes: Changes, observed: Mapping[SystemId, tuple[HeldAddress, ...]]
    ) -> tuple[tuple[HeldAddress, ...], tuple[HeldAddress, ...]]:
        """Addresses that came, and those that went."""
        rows = {*changes.removed.addresses, *changes.held}
        lost = [self.held[key] for key in rows if key in self.held]
        nodes = {*changes.removed.nodes, *changes.nodes}
        for key in nodes:
            lost += self.observed.get(key, ())
        gained = [*changes.held.values(), *(held for key in nodes for held in observed.get(key, ()))]
        return tuple(gained), tuple(lost)


def observe(node: Node, topology: Topology) -> tuple[HeldAddress, ...]:
    """Addresses of the node's interfaces and of its routers, without loopback addresses."""
    return (
        *(
            _observed(node, interface, ip, topology)
            for interface in node.interfaces
            for ip in (*interface.ips, *(address.ip for address in interface.child_addresses))
            if not ip.is_loopback
        ),
        *(
            HeldAddress(ip, AddressKind.OBSERVED, subnet.id, comment=f"router of {node.hostname}")
            for interface in node.interfaces
            for ip in interface.routers
            if (subnet := topology.subnet_around(ip, interface.vlan_id)) is not None and subnet.gateway != ip
        ),
    )


def _observed(node: Node, interface: NodeInterface, ip: Address, topology: Topology) -> HeldAddress:
    subnet = topology.subnet_around(ip, interface.vlan_id)
    subnet_id = None if subnet is None else subnet.id
    return HeldAddress(ip, AddressKind.OBSERVED, subnet_id, node.system_id, interface.name)


def _merged(previous: Mapping[K, V], changed: Mapping[K, V], removed_keys: Iterable[K]) -> dict[K, V]:
    """Apply removals, then changes, so that a key that was removed and added again stays."""
    merged = dict(previous)
    for key in removed_keys:
        merged.pop(key, None)
    merged.update(changed)
    return merged


def _place(previous: Mapping[HostId, Placed], changes: Changes) -> dict[HostId, Placed]:
    """Machines by host; only hosts that a change touches get a new dictionary."""
    moved = {*changes.removed.machines, *(system_id for _, system_id, _ in changes.machines)}
    placed = dict(previous)
    if moved:
        for host_id, machines in previous.items():
            if not moved.isdisjoint(machines):
                placed[host_id] = {key: machine for key, machine in machines.items() if key not in moved}
    fresh: dict[HostId, Placed] = {}
    for host_id, system_id, machine in changes.machines:
        fresh.setdefault(host_id, {})[system_id] = machine
    for host_id, machines in fresh.items():
        placed[host_id] = placed.get(host_id, {}) | machines
    return placed


def _snapshot(
    revision: int,
    topology: Topology,
    nodes: Mapping[SystemId, Node],
    observed: Mapping[SystemId, tuple[HeldAddress, ...]],
    states: Mapping[HostId, HostState],
    held: LayeredMap[int, HeldAddress],
) -> Snapshot:
    return Snapshot(
        fabrics=topology.fabrics,
        vlans=topology.vlans,
        spaces=topology.spaces,
        subnets=topology.subnets,
        ranges=topology.ranges,
        foreign_dhcp=topology.foreign_dhcp,
        silent_vlans=topology.silent_vlans,
        held=_AllHeld(held, observed),
        nodes=tuple(nodes.values()),
        hosts=tuple(states.values()),
        revision=revision,
    )
