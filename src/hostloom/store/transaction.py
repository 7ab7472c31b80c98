"""Database transactions: the start of writing, and the counting of revisions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Row, RowMapping, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import DEFAULT_GROUP, HostId
from hostloom.model.machine import Machine
from hostloom.model.network import HeldAddress
from hostloom.model.node import Node
from hostloom.store.tables import removals, world

T = TypeVar("T", Node, Host, Machine)

#: Columns of the default groups in the table `world`, by the name of the field that refers to such a group.
DEFAULT_COLUMNS = {
    "zone_id": world.c.default_zone,
    "resource_pool_id": world.c.default_resource_pool,
    "domain_id": world.c.default_domain,
}


@dataclass(frozen=True)
class PlacementLock:
    """A machine that was placed on a host, as in snapshots."""

    node: Node
    host_id: HostId
    machine: PlacedMachine
    #: By row id.
    held: Mapping[int, HeldAddress]


class Transaction:
    """A connection that reads freely and takes the write lock with its first change.

    SQLite: reads run in autocommit mode, the first write begins an IMMEDIATE transaction (a deferred one
    could not be upgraded once another process has written). PostgreSQL: READ COMMITTED. Every change first
    increments `world.value` and so holds the lock of that row until the transaction ends. On both databases,
    such changes run one after another, never deadlock, and read committed data.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_postgresql = connection.dialect.name == "postgresql"
        #: The revision that this transaction creates; None before its first change.
        self.revision: int | None = None
        self.topology_changed = False
        #: Ids of the default zone, resource pool and domain, by the name of the field that refers to them;
        #: known after the first change of the transaction.
        self.default_groups: dict[str, int] = {}
        #: Whether `placements` contains all changes.
        self.is_noted = True
        self.placements: list[PlacementLock] = []
        self._after_commit: list[Callable[[], None]] = []
        self._writing = False

    def read(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Run a query."""
        return self.connection.execute(statement, parameters)

    def rows(self, statement: Executable) -> Sequence[Any]:
        """Read all rows of a query."""
        return self.connection.execute(statement).all()

    def write(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a changing statement."""
        self._begin()
        return self.connection.execute(statement, parameters)

    def upsert(self, table: Table) -> Executable:
        """A statement that inserts rows, each in place of the row with its primary key if there is one."""
        statement = (postgresql if self.is_postgresql else sqlite).insert(table)
        keys = [column.name for column in table.primary_key]
        values = {column.name: statement.excluded[column.name] for column in table.c}
        upsert: Executable = statement.on_conflict_do_update(index_elements=keys, set_=values)
        return upsert

    def put(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert a row in place of the row with its primary key if there is one."""
        self.lock_world()  # two servers may write the same row at the same time
        self.write(self.upsert(table), row)

    def change_world(self, *, topology: bool = False, noted: bool = False) -> int:
        """Take the lock of the revision, and return this transaction's revision; later calls cost nothing.

        `noted`: the caller adds all its changes to `placements`, so that snapshots need not read them.
        """
        self.is_noted = self.is_noted and noted
        values: dict[str, Any] = {}
        if self.revision is None:
            values["value"] = world.c.value + 1
            if topology:
                values["topology"] = world.c.value + 1
        elif topology and not self.topology_changed:
            values["topology"] = self.revision
        if values:
            changed = update(world).values(values).returning(world.c.value, *DEFAULT_COLUMNS.values())
            row = self.write(changed).mappings().one()
            self.revision = row["value"]
            self.default_groups = {name: row[column.name] for name, column in DEFAULT_COLUMNS.items()}
        self.topology_changed = self.topology_changed or topology
        return self.revision or 0

    def in_groups(self, item: T) -> T:
        """The item with the default zone, resource pool and domain in place of missing ones.

        Call `change_world` first.
        """
        unnamed: dict[str, Any] = {
            name: key
            for name, key in self.default_groups.items()
            if getattr(item, name, None) == DEFAULT_GROUP
        }
        return replace(item, **unnamed) if unnamed else item

    def lock_world(self) -> None:
        """Take the lock of the revision without a new revision, so that later reads are stable."""
        if self.is_postgresql:
            self.write(select(world.c.id).with_for_update())
        else:
            self._begin()

    def note_removed(self, kind: str, keys: Iterable[object]) -> None:
        """Record removed rows for snapshots."""
        revision = self.change_world()
        items = [{"revision": revision, "kind": kind, "key": str(key)} for key in keys]
        if items:
            self.write(insert(removals), items)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Register a call for when (and only if) this transaction is committed."""
        self._after_commit.append(call)

    def commit(self) -> None:
        """Make the changes durable; the next statement begins a new transaction."""
        self.connection.commit()
        calls, self._after_commit = self._after_commit, []
        self._forget()
        for call in calls:
            call()

    def rollback(self) -> None:
        """Roll back uncommitted changes."""
        self.connection.rollback()
        self._after_commit.clear()
        self._forget()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Revert all changes of the block if it fails; the transaction itself can continue."""
        self._begin()
        with self.connection.begin_nested():
            yield

    @contextmanager
    def guarded(self, explain: Callable[[], Exception | None]) -> Iterator[None]:
        """Roll the block back if a constraint refuses it, and raise the error that `explain` returns."""
        try:
            with self.atomic():
                yield
        except IntegrityError as error:
            explained_error = explain()
            if explained_error is None:
                raise
            raise explained_error from error

    @contextmanager
    def consistent(self) -> Iterator[None]:
        """Let all reads in the block see one state. Ends a transaction that has not written yet."""
        if self._writing:
            self.connection.execute(
                select(world.c.id).with_for_update(read=True)
            )  # writers wait until this transaction ends
            yield
            return
        self.connection.rollback()
        self.connection.exec_driver_sql(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ" if self.is_postgresql else "BEGIN"
        )
        try:
            yield
        finally:
            self.connection.rollback()

    def exists(self, condition: Any) -> bool:
        """Whether a row meets the condition."""
        return self.connection.execute(select(1).where(condition).limit(1)).first() is not None

    def _begin(self) -> None:
        if not self._writing:
            if not self.is_postgresql:
                self.connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._writing = True

    def _forget(self) -> None:
        self.revision, self.topology_changed, self._writing = None, False, False
        self.is_noted, self.placements = True, []


def columns_of(row: Row[Any]) -> RowMapping:
    """The columns of a row by name."""
    return row._mapping  # noqa: SLF001  (SQLAlchemy's documented name for it)
