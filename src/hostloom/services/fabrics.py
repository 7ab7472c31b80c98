"""Fabrics: sets of VLANs that are connected at layer 2."""

import itertools
from dataclasses import dataclass

from hostloom.model.ids import FabricId
from hostloom.model.keep import KEEP, Keep
from hostloom.model.network import Fabric
from hostloom.ports.store import UnitOfWork
from hostloom.services.naming import check_name
from hostloom.services.nouns import NamedNoun, fields_of, plain_noun


@dataclass(frozen=True)
class FabricInput:
    """A fabric to create."""

    #: None: `fabric-N` with the first free number.
    name: str | None
    class_type: str | None = None
    description: str = ""


@dataclass(frozen=True)
class FabricChanges:
    """What to change of a fabric."""

    name: str | Keep = KEEP
    class_type: str | Keep | None = KEEP
    description: str | Keep = KEEP


def _add(uow: UnitOfWork, fields: FabricInput) -> Fabric:
    """Store a fabric with its untagged VLAN."""
    name = _free_name(uow) if fields.name is None else fields.name
    fabric = Fabric(FabricId(0), **fields_of(fields, name=name))
    _check(fabric)
    return uow.fabrics.add(fabric)


def _check(fabric: Fabric) -> None:
    check_name(fabric.name)
    if fabric.class_type is not None:
        check_name(fabric.class_type, "class_type")


def _free_name(uow: UnitOfWork) -> str:
    used_names = {fabric.name for fabric in uow.fabrics.list()}
    return next(name for n in itertools.count() if (name := f"fabric-{n}") not in used_names)


FABRICS: NamedNoun[Fabric, FabricInput, FabricChanges] = plain_noun(
    "fabric", Fabric, lambda uow: uow.fabrics, _check, _add
)
