"""Fabrics: VLANs that are joined at layer 2."""

import itertools
from dataclasses import dataclass, replace

from hostloom.model.access import Principal
from hostloom.model.ids import FabricId
from hostloom.model.network import Fabric
from hostloom.ports import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.naming import KEEP, Keep, changed_fields, check_generation, check_name, find_by_key


@dataclass(frozen=True)
class FabricInput:
    """A fabric to create."""

    #: None: `fabric-N`, the first number that is free.
    name: str | None
    class_type: str | None = None
    description: str = ""


@dataclass(frozen=True)
class FabricChanges:
    """What to change of a fabric."""

    name: str | Keep = KEEP
    class_type: str | Keep | None = KEEP
    description: str | Keep = KEEP


def list_(
    uow: UnitOfWork, principal: Principal, after: FabricId | None = None, limit: int | None = None
) -> list[Fabric]:
    """By id."""
    require_user(principal, "see fabrics")
    return uow.fabrics.list(after, limit)


def get(uow: UnitOfWork, principal: Principal, key: str) -> Fabric:
    """By name or id; NotFound."""
    require_user(principal, "see fabrics")
    return find_by_key(uow.fabrics, "fabric", key)


def create(uow: UnitOfWork, principal: Principal, wanted: FabricInput) -> Fabric:
    """Create a fabric with its untagged VLAN; AlreadyExists."""
    require_admin(principal, "create fabrics")
    name = _free_name(uow) if wanted.name is None else check_name(wanted.name)
    class_type = _class_type(wanted.class_type)
    return uow.fabrics.add(Fabric(FabricId(0), name, class_type, wanted.description))


def update(
    uow: UnitOfWork, principal: Principal, key: str, changes: FabricChanges, generation: int | None = None
) -> Fabric:
    """Change a fabric."""
    require_admin(principal, "change fabrics")
    fabric = get(uow, principal, key)
    check_generation("fabric", key, fabric, generation)
    changed = replace(fabric, **changed_fields(changes))
    check_name(changed.name)
    _class_type(changed.class_type)
    return uow.fabrics.update(changed)


def delete(uow: UnitOfWork, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete a fabric and its untagged VLAN; InUse names what is on them."""
    require_admin(principal, "delete fabrics")
    fabric = get(uow, principal, key)
    check_generation("fabric", key, fabric, generation)
    uow.fabrics.delete(fabric.id)


def _free_name(uow: UnitOfWork) -> str:
    taken = {each.name for each in uow.fabrics.list()}
    return next(name for n in itertools.count() if (name := f"fabric-{n}") not in taken)


def _class_type(word: str | None) -> str | None:
    return None if word is None else check_name(word, "class_type")
