"""Spaces over HTTP."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import ABSENT, In, Out, Patch, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import SpaceId
from hostloom.model.network import Space
from hostloom.services import spaces
from hostloom.services.spaces import SpaceChanges

router = APIRouter(prefix="/spaces", tags=["spaces"])


class SpaceIn(In):
    """A space to create."""

    name: Text
    description: Text = ""


class SpacePatch(Patch):
    """What to change of a space."""

    name: Text = ABSENT
    description: Text = ABSENT


class SpaceOut(Out):
    """A space and the VLANs in it."""

    id: int
    name: str
    vlans: list[str]
    description: str
    generation: int

    @classmethod
    def of(cls, item: Space, names: Names) -> Self:
        """Of the model."""
        vlans = [names.vlan(each.id) or "" for each in names.world.vlans if each.space_id == item.id]
        return cls(
            id=item.id,
            name=item.name,
            vlans=sorted(vlans),
            description=item.description,
            generation=item.generation,
        )


@router.get("", response_model=PageOut[SpaceOut])
def list_spaces(call: Reading, page: Paging) -> Response:
    """List spaces by id."""
    after = None if page.after_number is None else SpaceId(page.after_number)
    with call.begin() as uow:
        names = Names(uow)
        found = [SpaceOut.of(each, names) for each in spaces.list_(uow, call.principal, after, page.more)]
    return call.page(page, found, lambda each: each.id)


@router.post("", status_code=201, response_model=SpaceOut)
def create_space(call: Changing, body: SpaceIn) -> Response:
    """Create a space."""
    return call.commit(
        201,
        lambda uow: SpaceOut.of(spaces.create(uow, call.principal, body.name, body.description), Names(uow)),
    )


@router.get("/{key}", response_model=SpaceOut)
def get_space(call: Reading, key: str) -> Response:
    """Show a space by name or id."""
    with call.begin() as uow:
        return call.one(SpaceOut.of(spaces.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key}", response_model=SpaceOut)
def update_space(call: Changing, key: str, body: SpacePatch) -> Response:
    """Change a space."""
    changes = SpaceChanges(**body.sent())
    return call.commit(
        200,
        lambda uow: SpaceOut.of(
            spaces.update(uow, call.principal, key, changes, call.generation), Names(uow)
        ),
    )


@router.delete("/{key}", status_code=204)
def delete_space(call: Changing, key: str) -> Response:
    """Delete a space without VLANs."""
    return call.commit(204, lambda uow: spaces.delete(uow, call.principal, key, call.generation))
