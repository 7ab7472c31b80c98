"""Held addresses in the database."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, or_, select

from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SubnetId
from hostloom.model.network import SEEN_KINDS, Address, AddressKind, HeldAddress
from hostloom.store import tables
from hostloom.store.integrity import find_broken
from hostloom.store.tables import addresses
from hostloom.store.transaction import Transaction, columns_of

_FIELDS = [field.name for field in fields(HeldAddress)]


def held_of(row: Row[Any]) -> HeldAddress:
    """Convert a row to a held address."""
    columns = columns_of(row)
    return HeldAddress(**{name: columns[name] for name in _FIELDS})


class Addresses:
    """Held addresses; lists include those observed on interfaces, which are stored with the nodes."""

    def __init__(self, tx: Transaction, snapshot: Callable[[], Snapshot]) -> None:
        self.tx = tx
        self._snapshot = snapshot

    def hold(self, held: HeldAddress) -> None:
        """Reserve an address; AlreadyExists names its holder."""
        if held.kind is AddressKind.OBSERVED:
            raise InvalidValue(
                "kind", held.kind.value, "cannot be held", "observed addresses come from interfaces"
            )
        row = asdict(held) | {"revision": self.tx.change_world()}
        with self.tx.guarded(lambda: self._explain(held, row)):
            self.tx.write(insert(addresses).values(row))

    def release(self, ip: Address, subnet_id: SubnetId | None) -> None:
        """Delete a reservation; does nothing if the address is free. Leases are not deleted."""
        self.tx.change_world()
        removed = self.tx.write(
            delete(addresses)
            .where(has_ip([ip]), addresses.c.subnet_id == subnet_id, addresses.c.kind != AddressKind.LEASE)
            .returning(addresses.c.id)
        ).all()
        self.tx.note_removed("addresses", [row[0] for row in removed])

    def list(self, subnet_id: SubnetId | None = None) -> list[HeldAddress]:
        """All addresses, or those of a subnet, by address, including observed ones."""
        held = self._snapshot().held
        addresses = [address for address in held if subnet_id in (None, address.subnet_id)]
        return sorted(addresses, key=lambda address: (address.ip.version, int(address.ip), address.kind))

    def replace_leases(self, leases: Iterable[HeldAddress]) -> None:
        """Write only the differences, so that a renewed lease causes no change."""
        new_leases = set(leases)
        if self._stored_leases().keys() == new_leases:
            return
        revision = self.tx.change_world()
        # Read again under the lock of the revision, because another server may have written the same leases.
        stored = self._stored_leases()
        removed_keys = [key for lease, key in stored.items() if lease not in new_leases]
        if removed_keys:
            self.tx.note_removed("addresses", removed_keys)
            self.tx.write(delete(addresses).where(addresses.c.id.in_(removed_keys)))
        new = [asdict(lease) for lease in new_leases if lease not in stored]
        if new:
            self.tx.write(insert(addresses), [row | {"revision": revision} for row in new])

    def mark_on_wire(self, marks: Sequence[HeldAddress]) -> None:
        """Record addresses of kind ON_WIRE, replacing earlier records of the same addresses."""
        if not marks:
            return
        revision = self.tx.change_world()
        places = [(addresses.c.ip == mark.ip) & (addresses.c.subnet_id == mark.subnet_id) for mark in marks]
        self._remove_marks(has_ip([mark.ip for mark in marks]), or_(*places))
        self.tx.write(insert(addresses), [asdict(mark) | {"revision": revision} for mark in marks])

    def forget_on_wire(self, now: float) -> Sequence[HeldAddress]:
        """Delete expired records of kind ON_WIRE, and return them."""
        query = select(addresses.c.id).where(*_marks_over(now)).limit(1)
        if self.tx.read(query).first() is None:
            return []
        self.tx.change_world()
        return self._remove_marks(*_marks_over(now))

    def _remove_marks(self, *conditions: ColumnElement[bool]) -> Sequence[HeldAddress]:
        statement = delete(addresses).where(addresses.c.kind == AddressKind.ON_WIRE, *conditions)
        removed = self.tx.write(statement.returning(*addresses.c)).all()
        self.tx.note_removed("addresses", [row.id for row in removed])
        return [held_of(row) for row in removed]

    def _stored_leases(self) -> dict[HeldAddress, int]:
        query = select(addresses).where(addresses.c.kind == AddressKind.LEASE)
        return {held_of(row): row.id for row in self.tx.rows(query)}

    def _explain(self, held: HeldAddress, row: dict[str, Any]) -> HostloomError | None:
        condition = (
            has_ip([held.ip]),
            addresses.c.subnet_id == held.subnet_id,
            addresses.c.kind.not_in(SEEN_KINDS),
        )
        query = (
            select(addresses, tables.nodes.c.hostname)
            .outerjoin(tables.nodes, tables.nodes.c.system_id == addresses.c.system_id)
            .where(*condition)
        )
        if (holder := self.tx.read(query).first()) is not None:
            return AlreadyExists("address", held.ip, f"is {held_of(holder).held_by(holder.hostname)}")
        return find_broken(self.tx, addresses, row)


def has_ip(ips: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a held address is one of these addresses (or parameters for addresses).

    A subquery, because SQLite would rather search all addresses of a subnet than those with this IP.
    """
    same_ip = addresses.alias("same_ip")
    return addresses.c.id.in_(select(same_ip.c.id).where(same_ip.c.ip.in_(ips)))


def _marks_over(time: float) -> tuple[ColumnElement[bool], ...]:
    return (addresses.c.kind == AddressKind.ON_WIRE, addresses.c.until <= time)
