"""All hosts of a snapshot, with indexes for requests.

The indexes are stored with the snapshot and updated for the next one, at the cost of the change.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, NamedTuple

from hostloom.decide.fleet.host_class_table import HostClassTable
from hostloom.decide.fleet.host_classes import HostClassKey, host_class_key, make_host_class
from hostloom.decide.placement.capacity import PoolLayout, pools_of
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.decimals import Number
from hostloom.model.host import Host, cores_left, memory_left_mib
from hostloom.model.ids import HostId, natural_key
from hostloom.model.node import Node


class Columns(NamedTuple):
    """The facts of a host for one pass over all hosts."""

    gate: str
    cores: Number
    memory_mib: Number
    layout: PoolLayout
    bytes_left: tuple[int, ...]
    host_class: int


@dataclass(frozen=True, slots=True)
class Row:
    """One host with precomputed sums."""

    state: HostState
    node: Node | None
    name: tuple[object, ...]
    key: HostClassKey
    #: Hosts with the same gate get the same result from decide/placement/host_evaluation.py.
    gate: str
    cores: Number
    memory_mib: Number
    layout: PoolLayout
    bytes_left: tuple[int, ...]

    def columns(self, host_class: int) -> Columns:
        """The facts that every request is compared with."""
        return Columns(self.gate, self.cores, self.memory_mib, self.layout, self.bytes_left, host_class)

    @property
    def room(self) -> tuple[Number, Number, int]:
        """Sorts the emptier host first (docs/explanation/rules.md#choosing-a-host)."""
        return (-self.memory_mib, -self.cores, len(self.state.machines))


def row_of(snapshot: Snapshot, state: HostState) -> Row:
    """Read one host."""
    host, machines = state.host, state.machines
    node = snapshot.node_of(host)
    layout, left = pools_of(state)
    return Row(
        state,
        node,
        (natural_key(host.name), host.id),
        host_class_key(state, node),
        _gate_of(host),
        cores_left(host, machines),
        memory_left_mib(host, machines),
        layout,
        left,
    )


def _gate_of(host: Host) -> str:
    """The facts that decide/placement/host_evaluation.py uses."""
    text = f"{host.zone_id} {host.resource_pool_id} {sorted(set(host.tags))}"
    return f"{host.reachable} {host.correlation.state} {' '.join(host.architectures)} {text}"


@dataclass(frozen=True)
class Fleet:
    """Hosts by index, in natural order."""

    needs: ClassVar[frozenset[str]] = frozenset({"fabrics", "vlans", "spaces", "subnets", "ranges"})

    rows: list[Row]
    table: HostClassTable
    #: By position.
    classes: list[int]
    #: Indexes, the emptiest host first.
    by_room: list[int]
    positions: Mapping[HostId, int] = field(repr=False)
    #: By position.
    names: list[str]
    columns: list[Columns]

    @classmethod
    def build(cls, snapshot: Snapshot) -> "Fleet":
        """Read every host once."""
        rows = [row_of(snapshot, state) for state in snapshot.hosts]
        return cls._of(rows, HostClassTable(_network_of(snapshot)))

    @classmethod
    def _of(cls, rows: list[Row], table: HostClassTable) -> "Fleet":
        rows = sorted(rows, key=lambda row: row.name)
        table = _with_classes(table, rows)
        return cls(
            rows,
            table,
            [table.numbers[row.key] for row in rows],
            sorted(range(len(rows)), key=lambda index: (*rows[index].room, index)),
            {row.state.host.id: index for index, row in enumerate(rows)},
            [row.state.host.name for row in rows],
            [row.columns(table.numbers[row.key]) for row in rows],
        )

    def carried(self, after: Snapshot, delta: Delta) -> "Fleet":
        """The fleet of a later snapshot; hosts with only a new or removed machine cost almost nothing."""
        changed = self._changed(after, delta)
        if self._is_crowded() or not self._stays(changed):
            table = HostClassTable(self.table.network) if self._is_crowded() else self.table
            kept = [row for row in self.rows if row.state.host.id not in changed]
            return Fleet._of(kept + [row for row in changed.values() if row is not None], table)
        rows, classes, by_room = self.rows.copy(), self.classes.copy(), self.by_room.copy()
        columns = self.columns.copy()
        table = _with_classes(self.table, [row for row in changed.values() if row is not None])
        for key, row in changed.items():
            position = self.positions[key]
            if row is None:
                raise AssertionError("hosts that are gone were dealt with")
            del by_room[bisect_left(by_room, _room_at(rows, position), key=partial(_room_at, rows))]
            rows[position], classes[position] = row, table.numbers[row.key]
            columns[position] = row.columns(classes[position])
            by_room.insert(
                bisect_left(by_room, _room_at(rows, position), key=partial(_room_at, rows)), position
            )
        return Fleet(rows, table, classes, by_room, self.positions, self.names, columns)

    def _stays(self, changed: Mapping[HostId, Row | None]) -> bool:
        """Whether every host keeps its index."""
        return all(
            key in self.positions and row is not None and row.name == self.rows[self.positions[key]].name
            for key, row in changed.items()
        )

    def _changed(self, after: Snapshot, delta: Delta) -> dict[HostId, Row | None]:
        """Rows of hosts that changed, or with nodes that changed."""
        states = dict(delta.hosts)
        if delta.nodes:
            for row in self.rows:
                system_id = row.state.host.correlation.system_id
                if system_id in delta.nodes:
                    states.setdefault(row.state.host.id, row.state)
        return {key: None if state is None else row_of(after, state) for key, state in states.items()}

    def _is_crowded(self) -> bool:
        """Whether no host uses most of the host classes any more."""
        return len(self.table.classes) > 64 + 2 * len(self.rows)


def _room_at(rows: list[Row], position: int) -> tuple[object, ...]:
    return (*rows[position].room, position)


def _network_of(snapshot: Snapshot) -> Snapshot:
    """Only the network, so that longer-lived objects do not keep the whole snapshot in memory."""
    return Snapshot(snapshot.fabrics, snapshot.vlans, snapshot.spaces, snapshot.subnets, snapshot.ranges)


def _with_classes(table: HostClassTable, rows: list[Row]) -> HostClassTable:
    new = {
        row.key: partial(make_host_class, table.network, row.state, row.node)
        for row in rows
        if row.key not in table.numbers
    }
    return table.extended(new) if new else table


def fleet_of(snapshot: Snapshot) -> Fleet:
    """The snapshot's fleet, built once."""
    fleet = snapshot.indexes.get("fleet")
    if not isinstance(fleet, Fleet):
        fleet = snapshot.indexes["fleet"] = Fleet.build(snapshot)
    return fleet
