"""The snapshot for decisions: read once, then updated with later changes."""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select

from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.host import PlacedInterface, PlacedMachine
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Disk, Machine, MachineOrigin
from hostloom.store import tables
from hostloom.store.addresses import held_of
from hostloom.store.hosts import host_of
from hostloom.store.node_rows import read_nodes
from hostloom.store.snapshot_source import Changes, Removed, SnapshotSource
from hostloom.store.topology import read_topology
from hostloom.store.transaction import PlacementLock, Transaction


class SnapshotCache:
    """The latest world that this process has read; for all its threads."""

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
        """Adopt the snapshot of a transaction that was just committed, unless another one came between."""
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
    """Everything that is stamped with a later revision."""
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


def read_placed(tx: Transaction, condition: Any) -> list[tuple[HostId, SystemId, PlacedMachine]]:
    """Machines on hosts as (host, system id, resources); two statements.

    Disks count in full towards `reserved_bytes`, except those of adopted machines, which only libvirt's
    free figure includes (see model.host.bytes_left).
    """
    machines = tables.machines
    page = select(
        machines.c.system_id,
        machines.c.host_id,
        machines.c.cores,
        machines.c.memory_mib,
        machines.c.disks,
        machines.c.origin,
        tables.nodes.c.hostname,
    ).join(tables.nodes)
    rows = tx.rows(page.where(machines.c.host_id.is_not(None), condition))
    if not rows:
        return []
    interfaces = _read_placed_interfaces(tx, condition)
    return [
        (
            row.host_id,
            row.system_id,
            PlacedMachine(
                row.hostname,
                row.cores,
                row.memory_mib,
                tuple(interfaces.get(row.system_id, ())),
                {} if row.origin is MachineOrigin.ADOPTED else bytes_by_pool(row.disks),
            ),
        )
        for row in rows
    ]


def _read_placed_interfaces(tx: Transaction, condition: Any) -> dict[str, list[PlacedInterface]]:
    """NICs that use a host's interfaces or networks, by system id."""
    nics = tables.machine_interfaces
    query = (
        select(nics.c.system_id, nics.c.attachment_kind, nics.c.source, nics.c.macvlan_mode)
        .join(tables.machines)
        .where(condition, nics.c.attachment_kind != AttachKind.OTHER)
        .order_by(nics.c.system_id, nics.c.position)
    )
    interfaces: dict[str, list[PlacedInterface]] = {}
    for row in tx.rows(query):
        placed_interface = PlacedInterface(row.attachment_kind, row.source, row.macvlan_mode)
        interfaces.setdefault(row.system_id, []).append(placed_interface)
    return interfaces


def bytes_by_pool(disks: Iterable[Disk]) -> dict[str, int]:
    """Sizes of disks, summed up by storage pool."""
    sizes: dict[str, int] = {}
    for disk in disks:
        sizes[disk.pool] = sizes.get(disk.pool, 0) + disk.size_bytes
    return sizes


def placed_of(machine: Machine) -> PlacedMachine:
    """The resources that a machine uses on its host."""
    return PlacedMachine(
        machine.hostname,
        machine.cores,
        machine.memory_mib,
        tuple(
            PlacedInterface(nic.attachment.kind, nic.attachment.source, nic.attachment.mode)
            for nic in machine.interfaces
            if nic.attachment.kind is not AttachKind.OTHER
        ),
        {} if machine.origin is MachineOrigin.ADOPTED else bytes_by_pool(machine.disks),
    )
