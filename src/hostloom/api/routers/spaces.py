"""Spaces over HTTP."""

from typing import Annotated, Self

from hostloom.api.crud import Texts, changes_of, crud_router
from hostloom.api.forms import BodyForm, Out, Sent, Text, like
from hostloom.api.names import Names
from hostloom.model.network import Space
from hostloom.services.spaces import SPACES, SpaceChanges, SpaceInput


@like(Space)
class SpaceOut(Out):
    """A space and the VLANs in it."""

    vlans: list[str]

    @classmethod
    def of(cls, item: Space, names: Names) -> Self:
        """Of the model."""
        vlans = [names.vlan(vlan.id) or "" for vlan in names.world.vlans if vlan.space_id == item.id]
        return cls.made(item, vlans=sorted(vlans))


#: Only MAAS's clients create spaces without a name.
CreatedSpace = Annotated[SpaceInput, BodyForm(types={"name": Text})]
router = crud_router(
    SPACES,
    SpaceOut,
    changes_of(SPACES, CreatedSpace, Sent[SpaceChanges]),
    Texts(delete="Delete a space without VLANs."),
    render=SpaceOut.of,
)
