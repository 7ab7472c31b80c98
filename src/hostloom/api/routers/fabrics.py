"""Fabrics over HTTP."""

from typing import Annotated

from hostloom.api.crud import Texts, changes_of, crud_router
from hostloom.api.forms import BodyForm, Out, Sent, Text, like
from hostloom.model.network import Fabric
from hostloom.services.fabrics import FABRICS, FabricChanges, FabricInput


@like(Fabric, hide=("automatic",))
class FabricOut(Out):
    """A fabric."""


#: Only MAAS's clients create fabrics without a name.
CreatedFabric = Annotated[FabricInput, BodyForm(types={"name": Text})]
router = crud_router(
    FABRICS,
    FabricOut,
    changes_of(FABRICS, CreatedFabric, Sent[FabricChanges]),
    Texts(
        create="Create a fabric; its untagged VLAN comes with it.",
        delete="Delete a fabric without tagged VLANs, subnets and interfaces.",
    ),
)
