"""Spaces: groups of VLANs that may reach each other."""

import itertools
from dataclasses import dataclass, replace

from hostloom.model.ids import SpaceId
from hostloom.model.keep import KEEP, Keep
from hostloom.model.network import Space
from hostloom.ports.store import UnitOfWork
from hostloom.services.naming import check_name
from hostloom.services.nouns import NamedNoun, fields_of, plain_noun


@dataclass(frozen=True)
class SpaceInput:
    """A space to create."""

    #: None: `space-ID`.
    name: str | None
    description: str = ""


@dataclass(frozen=True)
class SpaceChanges:
    """What to change of a space."""

    name: str | Keep = KEEP
    description: str | Keep = KEEP


def _add(uow: UnitOfWork, fields: SpaceInput) -> Space:
    if fields.name is not None:
        check_name(fields.name)
        return uow.spaces.add(Space(SpaceId(0), **fields_of(fields)))
    # The id is known only after the space is stored; until then it has a name that no client can send.
    space = uow.spaces.add(Space(SpaceId(0), **fields_of(fields, name=" ")))
    used_names = {other.name for other in uow.spaces.list()}
    number = next(n for n in itertools.count(space.id) if f"space-{n}" not in used_names)
    return uow.spaces.update(replace(space, name=f"space-{number}"))


SPACES: NamedNoun[Space, SpaceInput, SpaceChanges] = plain_noun(
    "space", Space, lambda uow: uow.spaces, lambda space: check_name(space.name), _add
)
