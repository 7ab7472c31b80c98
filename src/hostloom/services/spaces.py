"""Spaces: labels for VLANs that may route to each other."""

import itertools
from dataclasses import dataclass, replace

from hostloom.model.access import Principal
from hostloom.model.ids import SpaceId
from hostloom.model.network import Space
from hostloom.ports import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.naming import KEEP, Keep, changed_fields, check_generation, check_name, find_by_key


@dataclass(frozen=True)
class SpaceChanges:
    """What to change of a space."""

    name: str | Keep = KEEP
    description: str | Keep = KEEP


def list_(
    uow: UnitOfWork, principal: Principal, after: SpaceId | None = None, limit: int | None = None
) -> list[Space]:
    """By id."""
    require_user(principal, "see spaces")
    return uow.spaces.list(after, limit)


def get(uow: UnitOfWork, principal: Principal, key: str) -> Space:
    """By name or id; NotFound."""
    require_user(principal, "see spaces")
    return find_by_key(uow.spaces, "space", key)


def create(uow: UnitOfWork, principal: Principal, name: str | None, description: str = "") -> Space:
    """Create a space, without a name as `space-ID`; AlreadyExists."""
    require_admin(principal, "create spaces")
    if name is not None:
        return uow.spaces.add(Space(SpaceId(0), check_name(name), description))
    # Its number is known once it is stored: until then it has a name that no client can give.
    made = uow.spaces.add(Space(SpaceId(0), " ", description))
    taken = {space.name for space in uow.spaces.list()}
    number = next(n for n in itertools.count(made.id) if f"space-{n}" not in taken)
    return uow.spaces.update(replace(made, name=f"space-{number}"))


def update(
    uow: UnitOfWork, principal: Principal, key: str, changes: SpaceChanges, generation: int | None = None
) -> Space:
    """Change a space."""
    require_admin(principal, "change spaces")
    space = get(uow, principal, key)
    check_generation("space", key, space, generation)
    changed = replace(space, **changed_fields(changes))
    check_name(changed.name)
    return uow.spaces.update(changed)


def delete(uow: UnitOfWork, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete a space; InUse names its VLANs."""
    require_admin(principal, "delete spaces")
    space = get(uow, principal, key)
    check_generation("space", key, space, generation)
    uow.spaces.delete(space.id)
