"""The rows of a noun with an integer id: the code that all such nouns share."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import Row, Table, delete, func, insert, select, update

from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound
from hostloom.model.errors.stale import StaleGeneration
from hostloom.store.integrity import find_broken
from hostloom.store.tables import KINDS
from hostloom.store.transaction import Transaction, columns_of

#: Maximum number of users in an InUse error; further ones are counted.
NAMED_USERS = 20


class NounTable(Protocol):
    """Fields of every stored noun."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> int: ...

    @property
    def generation(self) -> int: ...


T = TypeVar("T", bound=NounTable)
K = TypeVar("K", bound=int)


def name_users(kind: str, key: object, users: Sequence[str]) -> None:
    """Raise InUse if the object has users."""
    if users:
        remaining_count = len(users) - NAMED_USERS
        raise InUse(
            kind, key, [*users[:NAMED_USERS], *([f"{remaining_count} more"] if remaining_count > 0 else [])]
        )


class Records(Generic[T, K]):
    """A table whose columns are the fields of a dataclass."""

    #: Whether the noun is part of the physical network, which snapshots read as a whole.
    topology = False
    #: Whether snapshots contain the noun or refer to it, so that changes take the lock of the revision.
    in_world = False

    def __init__(self, tx: Transaction, table: Table, entity: type[T]) -> None:
        self.tx, self.table, self.entity = tx, table, entity
        self.kind = KINDS[table.name]
        self._names = [field.name for field in fields(entity)]

    def get(self, key: K) -> T:
        """By id; NotFound."""
        row = self.tx.read(select(self.table).where(self.table.c.id == key)).first()
        if row is None:
            raise NotFound(self.kind, key)
        return self.from_row(row)

    def find(self, name: str) -> T | None:
        """By name."""
        row = self.tx.read(select(self.table).where(self.table.c.name == name)).first()
        return None if row is None else self.from_row(row)

    def list(self, after: K | None = None, limit: int | None = None) -> list[T]:
        """Records with ids above `after`, in ascending order."""
        query = select(self.table).order_by(self.table.c.id).limit(limit)
        if after is not None:
            query = query.where(self.table.c.id > after)
        return [self.from_row(row) for row in self.tx.rows(query)]

    def add(self, item: T) -> T:
        """Insert a record; an id of 0 is replaced by a new one."""
        self._change()
        self.check(item)
        values = self.to_row(item)
        key = self.insert(values, item)
        return replace(item, id=key)

    def update(self, item: T) -> T:
        """Write the record and increment its generation; StaleGeneration if it is not current."""
        self._change()
        self.check(item)
        values = self.to_row(item) | {"id": item.id, "generation": item.generation + 1}
        statement = (
            update(self.table)
            .where(self.table.c.id == item.id, self.table.c.generation == item.generation)
            .values(values)
        )
        with self.tx.guarded(lambda: self.explain(values, item)):
            changed_rows = self.tx.write(statement).rowcount
        if not changed_rows:
            raise StaleGeneration(self.kind, self.label(item), item.generation, self.get_generation(item.id))
        return replace(item, generation=item.generation + 1)

    def delete(self, key: K) -> None:
        """Delete the object; InUse names the objects that refer to it."""
        self._change()
        item = self.get(key)
        name_users(self.kind, self.label(item), self.users(item))
        self.remove(item)

    # -- methods that a noun may override -------------------------------------------------------------------

    def check(self, item: T) -> None:
        """Check rules for which the database has no constraint."""

    def users(self, item: T) -> Sequence[str]:
        """Descriptions of the objects that refer to this one."""
        raise NotImplementedError

    def remove(self, item: T) -> None:
        """Delete the row and its dependent rows."""
        self.tx.write(delete(self.table).where(self.table.c.id == item.id))

    def label(self, item: T) -> str:
        """The name of the record, for errors."""
        return str(getattr(item, "name", item.id))

    def to_row(self, item: T) -> dict[str, Any]:
        """Convert an item to a row; the database assigns an id in place of 0."""
        values = {name: getattr(item, name) for name in self._names}
        if not item.id:
            del values["id"]
        return values

    def from_row(self, row: Row[Any]) -> T:
        """Convert a row to an item."""
        columns = columns_of(row)
        return self.entity(**{name: columns[name] for name in self._names})

    # -- shared ------------------------------------------------------------------------------------------

    def insert(self, values: dict[str, Any], item: T) -> int:
        """Insert a row and return its id."""
        with self.tx.guarded(lambda: self.explain(values, item)):
            key: int = self.tx.write(
                insert(self.table).values(values).returning(self.table.c.id)
            ).scalar_one()
        if "id" in values and self.tx.is_postgresql:
            raise_sequence(self.tx, self.table)
        return key

    def explain(self, values: dict[str, Any], item: T) -> HostloomError | None:
        """Why the database refused a row, in terms of the noun."""
        error = find_broken(self.tx, self.table, values)
        if isinstance(error, AlreadyExists):
            return AlreadyExists(self.kind, error.key or self.label(item))
        return error

    def get_generation(self, key: int) -> int:
        """The stored generation; NotFound."""
        row_id: int | None = self.tx.read(
            select(self.table.c.generation).where(self.table.c.id == key)
        ).scalar_one_or_none()
        if row_id is None:
            raise NotFound(self.kind, key)
        return row_id

    def _change(self) -> None:
        if self.in_world or self.topology:
            self.tx.change_world(topology=self.topology)


def raise_sequence(tx: Transaction, table: Table) -> None:
    """Keep new ids above the given ones; SQLite does so automatically. A sequence starts at 1 or more."""
    highest = select(func.greatest(func.max(table.c.id), 1)).scalar_subquery()
    tx.write(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest)))
