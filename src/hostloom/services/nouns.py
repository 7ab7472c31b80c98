"""Reading and changing nouns that have a name: fabrics, spaces, zones, resource pools, domains, tags."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from hostloom.model.access import Principal
from hostloom.model.keep import changed_fields
from hostloom.ports.repositories import Repository
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.naming import check_generation, find_by_key

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class _Stored(Protocol):
    @property
    def id(self) -> int: ...

    @property
    def generation(self) -> int: ...


T = TypeVar("T", bound=_Stored)
InputT = TypeVar("InputT", contravariant=True)
ChangesT = TypeVar("ChangesT", bound="DataclassInstance", contravariant=True)


@dataclass(frozen=True)
class NamedNoun(Generic[T, InputT, ChangesT]):
    """The service of one noun: users may read it, administrators may change it."""

    #: The noun in messages, such as `resource pool`.
    kind: str
    repository: Callable[[UnitOfWork], Repository[T, Any]]
    #: Checks the input and stores the new item; AlreadyExists.
    add: Callable[[UnitOfWork, InputT], T]
    #: Raises InvalidValue if an item cannot be stored like this.
    check: Callable[[T], object]

    def list(
        self, uow: UnitOfWork, principal: Principal, after: int | None = None, limit: int | None = None
    ) -> list[T]:
        """By id, from after `after`."""
        require_user(principal, f"see {self.kind}s")
        return self.repository(uow).list(after, limit)

    def get(self, uow: UnitOfWork, principal: Principal, key: str) -> T:
        """By name or id; NotFound."""
        require_user(principal, f"see {self.kind}s")
        return find_by_key(self.repository(uow), self.kind, key)

    def create(self, uow: UnitOfWork, principal: Principal, fields: InputT) -> T:
        """Create one; AlreadyExists."""
        require_admin(principal, f"create {self.kind}s")
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
        require_admin(principal, f"change {self.kind}s")
        item = find_by_key(self.repository(uow), self.kind, key)
        check_generation(self.kind, key, item, generation)
        changed: T = replace(item, **changed_fields(changes))  # type: ignore[type-var]  # every noun is a dataclass
        self.check(changed)
        return self.repository(uow).update(changed)

    def delete(self, uow: UnitOfWork, principal: Principal, key: str, generation: int | None = None) -> None:
        """Delete one; InUse names what still refers to it."""
        require_admin(principal, f"delete {self.kind}s")
        item = find_by_key(self.repository(uow), self.kind, key)
        check_generation(self.kind, key, item, generation)
        self.repository(uow).delete(item.id)
