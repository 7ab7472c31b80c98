"""Annotations that clients of MAAS's API store with our records: permissions and size limits."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hostloom.model.access import Principal
from hostloom.model.annotation import Annotated
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.groupings import check_tag

#: All annotations of one object, as JSON.
MAX_BYTES = 64 * 1024
MAX_NAME = 255
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
    kept = {**uow.annotations.of(kind, [key]).get(key, {}), **changes}
    for name in _names(changes):
        if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise InvalidValue(
                "name",
                name[:MAX_NAME],
                "is empty, too long or not printable",
                f"use 1 to {MAX_NAME} printable characters",
            )
    size = len(json.dumps(kept))
    if size > MAX_BYTES:
        raise InvalidValue(
            "value",
            None,
            f"would make {size} bytes in all",
            f"store at most {MAX_BYTES} bytes for one {kind.value}",
        )
    uow.annotations.put(kind, key, kept)


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


def _names(values: Mapping[str, Any]) -> Iterable[str]:
    """The names of annotations, including one level of nesting, because owner data is a map."""
    for name, value in values.items():
        yield name
        if isinstance(value, Mapping):
            yield from map(str, value)
