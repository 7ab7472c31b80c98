"""Reads and changes nouns with a key: users may read them, administrators may change them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from hostloom.model.access import Principal
from hostloom.model.ids import VlanId
from hostloom.model.keep import changed_fields
from hostloom.ports.context import Ports
from hostloom.ports.repositories import Repository
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.naming import check_generation, find_by_key
from hostloom.services.publishing import commit_and_publish

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class _Stored(Protocol):
    @property
    def id(self) -> int: ...

    @property
    def generation(self) -> int: ...


T = TypeVar("T", bound=_Stored)
InputT = TypeVar("InputT", bound="DataclassInstance", contravariant=True)
ChangesT = TypeVar("ChangesT", bound="DataclassInstance", contravariant=True)


@dataclass(frozen=True)
class ReadNoun(Generic[T]):
    """A noun that every user may read."""

    #: The noun in messages, such as `resource pool`.
    kind: str
    repository: Callable[[UnitOfWork], Repository[T, Any]]
    #: Several of them in messages; empty: `kind` with an s.
    many: str = field(default="", kw_only=True)
    #: Finds one by its key; NotFound. None: by name or id.
    find_one: Callable[[UnitOfWork, str], T] | None = field(default=None, kw_only=True)

    @property
    def plural(self) -> str:
        """Several of them, in messages."""
        return self.many or f"{self.kind}s"

    def list(
        self, uow: UnitOfWork, principal: Principal, after: int | None = None, limit: int | None = None
    ) -> list[T]:
        """By id, from after `after`."""
        require_user(principal, f"see {self.plural}")
        return self.repository(uow).list(after, limit)

    def get(self, uow: UnitOfWork, principal: Principal, key: str) -> T:
        """By name or id, or by another key that the noun has; NotFound."""
        require_user(principal, f"see {self.plural}")
        return self.find(uow, key)

    def find(self, uow: UnitOfWork, key: str) -> T:
        """As `get`, for callers that have checked who asks; NotFound."""
        if self.find_one is not None:
            return self.find_one(uow, key)
        return find_by_key(self.repository(uow), self.kind, key)

    def find_current(self, uow: UnitOfWork, key: str, generation: int | None) -> T:
        """The item, if its generation is the one that the caller has seen; NotFound, StaleGeneration."""
        item = self.find(uow, key)
        check_generation(self.kind, key, item, generation)
        return item


@dataclass(frozen=True)
class NamedNoun(ReadNoun[T], Generic[T, InputT, ChangesT]):
    """A noun that administrators change, each change in one unit of work."""

    #: Checks the input and stores the new item; AlreadyExists.
    add: Callable[[UnitOfWork, InputT], T]
    #: Checks and stores an item with its changes; InvalidValue, AlreadyExists.
    change: Callable[[UnitOfWork, T, ChangesT], T]

    def create(self, uow: UnitOfWork, principal: Principal, fields: InputT) -> T:
        """Create one; AlreadyExists."""
        require_admin(principal, f"create {self.plural}")
        return self.add(uow, fields)

    def update(
        self,
        uow: UnitOfWork,
        principal: Principal,
        key: str,
        changes: ChangesT,
        generation: int | None = None,
    ) -> T:
        """Change one; NotFound, StaleGeneration, AlreadyExists."""
        require_admin(principal, f"change {self.plural}")
        return self.change(uow, self.find_current(uow, key, generation), changes)

    def delete(self, uow: UnitOfWork, principal: Principal, key: str, generation: int | None = None) -> None:
        """Delete one; InUse names what still refers to it."""
        require_admin(principal, f"delete {self.plural}")
        self.repository(uow).delete(self.find_current(uow, key, generation).id)


def fields_of(item: "DataclassInstance", *without: str, **others: Any) -> dict[str, Any]:
    """The fields of an input for its class of `model/`: `without` these, and with the `others` instead."""
    names = [field.name for field in dataclass_fields(item) if field.name not in without]
    return {name: getattr(item, name) for name in names} | others


def plain_noun(
    kind: str,
    item_type: Callable[..., T],
    repository: Callable[[UnitOfWork], Repository[T, Any]],
    check: Callable[[T], object],
    add: Callable[[UnitOfWork, InputT], T] | None = None,
) -> NamedNoun[T, InputT, ChangesT]:
    """A noun with the same fields in its class of `model/`, its input and its changes.

    `check` raises InvalidValue if an item cannot be stored; `add` replaces what creates and stores an item.
    """

    def add_checked(uow: UnitOfWork, fields: InputT) -> T:
        item = item_type(id=0, **fields_of(fields))
        check(item)
        return repository(uow).add(item)

    def change(uow: UnitOfWork, item: T, changes: ChangesT) -> T:
        changed: T = replace(item, **changed_fields(changes))  # type: ignore[type-var]  # every noun is a dataclass
        check(changed)
        return repository(uow).update(changed)

    return NamedNoun(kind, repository, add or add_checked, change)


@dataclass(frozen=True)
class PublishedNoun(NamedNoun[T, InputT, ChangesT]):
    """A noun that our DHCP serves: a change is undone if a DHCP server refuses it."""

    #: The served VLANs that a change concerns: of the item before (None: created) and after (None: deleted).
    concerned: Callable[[UnitOfWork, T | None, T | None], Collection[VlanId]]
    #: Called before a deletion; the answer restores what is deleted together with the item.
    remember: Callable[[UnitOfWork, T], Callable[[UnitOfWork], None]] | None = field(
        default=None, kw_only=True
    )

    def publish_new(self, ports: Ports, principal: Principal, fields: InputT) -> T:
        """Create one and publish it; AlreadyExists, DriverError."""

        def change(uow: UnitOfWork) -> tuple[T, Collection[VlanId]]:
            item = self.create(uow, principal, fields)
            return item, self.concerned(uow, None, item)

        return commit_and_publish(ports, change, lambda uow, item: self.repository(uow).delete(item.id))

    def publish_changes(
        self, ports: Ports, principal: Principal, key: str, changes: ChangesT, generation: int | None = None
    ) -> T:
        """Change one and publish it; NotFound, StaleGeneration, AlreadyExists, DriverError."""

        def change(uow: UnitOfWork) -> tuple[tuple[T, T], Collection[VlanId]]:
            require_admin(principal, f"change {self.plural}")
            before = self.find(uow, key)
            after = self.update(uow, principal, key, changes, generation)
            return (before, after), self.concerned(uow, before, after)

        return commit_and_publish(ports, change, self.put_back)[1]

    def put_back(self, uow: UnitOfWork, items: tuple[T, T]) -> None:
        """Store the first of these again, which became the second one."""
        before, after = items
        previous: T = replace(before, generation=after.generation)  # type: ignore[type-var]  # as above
        self.repository(uow).update(previous)

    def publish_deletion(
        self, ports: Ports, principal: Principal, key: str, generation: int | None = None
    ) -> None:
        """Delete one and publish that; InUse, NotFound, StaleGeneration, DriverError."""

        def change(uow: UnitOfWork) -> tuple[Callable[[UnitOfWork], None], Collection[VlanId]]:
            require_admin(principal, f"delete {self.plural}")
            item = self.find(uow, key)
            concerned, restore_parts = self.concerned(uow, item, None), self._remembered(uow, item)
            self.delete(uow, principal, key, generation)

            def restore(uow: UnitOfWork) -> None:
                self.repository(uow).add(item)
                restore_parts(uow)

            return restore, concerned

        commit_and_publish(ports, change, lambda uow, restore: restore(uow))

    def _remembered(self, uow: UnitOfWork, item: T) -> Callable[[UnitOfWork], None]:
        return (lambda _: None) if self.remember is None else self.remember(uow, item)
