"""Annotations that clients of MAAS's API store with our records: permissions and size limits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hostloom.model.access import Principal
from hostloom.model.annotation import Annotated, merged_annotations
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.groupings import check_tag

MAX_TAGS = 64

Notes = dict[str, Any]


def of(
    uow: UnitOfWork, principal: Principal, kind: Annotated, keys: Sequence[str | int] | None = None
) -> dict[str | int, Notes]:
    """The annotations of these objects, or of all objects of the kind, in one statement."""
    require_user(principal, "see what clients keep")
    return uow.annotations.of(kind, keys)


def read(uow: UnitOfWork, kind: Annotated) -> dict[str | int, Notes]:
    """All annotations of one kind in one statement, for views of objects that the reader may see."""
    return uow.annotations.of(kind)


def merge(
    uow: UnitOfWork, principal: Principal, kind: Annotated, key: str | int, changes: Mapping[str, Any]
) -> None:
    """Add these annotations to the existing ones; NotPermitted, or InvalidValue if they are too large.

    Permitted to administrators, to the owner of a machine, and to users for themselves.
    """
    _authorize(uow, principal, kind, key)
    present = uow.annotations.of(kind, [key]).get(key, {})
    uow.annotations.put(kind, key, merged_annotations(kind, present, changes))


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Tags of a NIC without duplicates, valid in constraints; InvalidValue."""
    kept = list(dict.fromkeys(check_tag(tag, "tags") for tag in tags))
    if len(kept) > MAX_TAGS:
        raise InvalidValue("tags", None, f"has {len(kept)} entries", f"give at most {MAX_TAGS} tags")
    return kept


def _authorize(uow: UnitOfWork, principal: Principal, kind: Annotated, key: str | int) -> None:
    if kind is Annotated.NODE and not principal.admin:
        machines = uow.machines.some([SystemId(str(key))])
        if machines and machines[0].owner and machines[0].owner == principal.name:
            return
    if kind is Annotated.USER:
        user = uow.users.find(principal.name)
        if user is not None and user.id == key:
            return
    require_admin(principal, f"keep data with a {kind.value} of others")
