"""The snapshot for decisions: read once, then updated; the cost depends on the size of the change."""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Row, select

from hostloom.decide.persistent import LayeredMap
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import HostId, SystemId
from hostloom.model.network import Address, AddressKind, HeldAddress
from hostloom.model.node import Node, NodeInterface
from hostloom.store import tables
from hostloom.store.addresses import held_of
from hostloom.store.hosts import host_of, read_placed
from hostloom.store.node_rows import read_nodes
from hostloom.store.topology import Topology, read_topology
from hostloom.store.transaction import PlacementLock, Transaction

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
    #: The current place of every changed machine.
    machines: Sequence[tuple[HostId, SystemId, PlacedMachine]] = ()
    #: By row id.
    held: Mapping[int, HeldAddress] = field(default_factory=dict)


class _AllHeld(Collection[HeldAddress]):
    """The stored and the observed addresses, which are joined only when they are iterated."""

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
    """One revision; `changed` returns the next one, which shares unchanged parts."""

    revision: int = -1
    topology: Topology = field(default_factory=Topology)
    nodes: dict[SystemId, Node] = field(default_factory=dict)
    observed: dict[SystemId, tuple[HeldAddress, ...]] = field(default_factory=dict)
    states: dict[HostId, HostState] = field(default_factory=dict)
    placed: dict[HostId, Placed] = field(default_factory=dict)
    held: LayeredMap[int, HeldAddress] = field(default_factory=LayeredMap)
    snapshot: Snapshot = field(default_factory=Snapshot)

    def changed(self, revision: int, topology: Topology, changes: Changes) -> "SnapshotSource":
        """The state at a later revision."""
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
        """The added and the removed addresses."""
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
    """Machines by host; only changed hosts get a new dictionary."""
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


class SnapshotCache:
    """The latest snapshot in this process; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._world = SnapshotSource()

    def snapshot(self, tx: Transaction) -> Snapshot:
        """The current snapshot.

        Costs one statement if nothing changed; a transaction sees its own changes.
        """
        if tx.revision is not None:
            return read_world(tx, self._world).snapshot
        world = self._world
        if world.revision == _current(tx).value:
            return world.snapshot
        with self._lock, tx.consistent():
            self._world = read_world(tx, self._world)
            return self._world.snapshot

    def place(self, revision: int, placements: Sequence[PlacementLock]) -> None:
        """Adopt the snapshot of a transaction that was just committed, unless another one was faster."""
        with self._lock:
            if self._world.revision != revision - 1:
                return
            changes = Changes(
                nodes={placement.node.system_id: placement.node for placement in placements},
                machines=[
                    (placement.host_id, placement.node.system_id, placement.machine)
                    for placement in placements
                ],
                held={key: held for placement in placements for key, held in placement.held.items()},
            )
            self._world = self._world.changed(revision, self._world.topology, changes)


def _current(tx: Transaction) -> Row[Any]:
    return tx.read(select(tables.world)).one()


def read_world(tx: Transaction, base: SnapshotSource) -> SnapshotSource:
    """The current snapshot source; reads only the changes since `base`."""
    current = _current(tx)
    if base.revision == current.value:
        return base
    if base.revision < current.floor:
        base = SnapshotSource()
    is_same = base.topology.revision == current.topology
    topology = base.topology if is_same else read_topology(tx, current.topology)
    return base.changed(current.value, topology, read_changes(tx, base.revision))


def read_changes(tx: Transaction, since: int) -> Changes:
    """Read all rows with a later revision."""
    nodes, hosts, held = tables.nodes, tables.hosts, tables.addresses
    return Changes(
        Removed() if since < 0 else _read_removed(tx, since),
        {
            read_node.system_id: read_node
            for read_node in read_nodes(tx, select(nodes).where(nodes.c.revision > since))
        },
        {row.id: host_of(row) for row in tx.rows(select(hosts).where(hosts.c.revision > since))},
        read_placed(tx, tables.machines.c.revision > since),
        {row.id: held_of(row) for row in tx.rows(select(held).where(held.c.revision > since))},
    )


def _read_removed(tx: Transaction, since: int) -> Removed:
    removals = tables.removals
    keys_by_kind: dict[str, list[str]] = {}
    for kind, key in tx.rows(select(removals.c.kind, removals.c.key).where(removals.c.revision > since)):
        keys_by_kind.setdefault(kind, []).append(key)
    return Removed(
        [SystemId(key) for key in keys_by_kind.get("nodes", ())],
        [HostId(int(key)) for key in keys_by_kind.get("hosts", ())],
        [SystemId(key) for key in keys_by_kind.get("machines", ())],
        [int(key) for key in keys_by_kind.get("addresses", ())],
    )
