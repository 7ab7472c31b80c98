"""Fabrics over HTTP."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import ABSENT, In, Out, Patch, Text
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import FabricId
from hostloom.model.network import Fabric
from hostloom.services import fabrics
from hostloom.services.fabrics import FabricChanges, FabricInput

router = APIRouter(prefix="/fabrics", tags=["fabrics"])


class FabricIn(In):
    """A fabric to create."""

    name: Text
    class_type: Text | None = None
    description: Text = ""


class FabricPatch(Patch):
    """What to change of a fabric."""

    name: Text = ABSENT
    class_type: Text | None = ABSENT
    description: Text = ABSENT


class FabricOut(Out):
    """A fabric."""

    id: int
    name: str
    class_type: str | None
    description: str
    generation: int

    @classmethod
    def of(cls, item: Fabric) -> Self:
        """Of the model."""
        return cls(
            id=item.id,
            name=item.name,
            class_type=item.class_type,
            description=item.description,
            generation=item.generation,
        )


@router.get("", response_model=PageOut[FabricOut])
def list_fabrics(call: Reading, page: Paging) -> Response:
    """List fabrics by id."""
    after = None if page.after_number is None else FabricId(page.after_number)
    with call.begin() as uow:
        found = fabrics.list_(uow, call.principal, after, page.more)
    return call.page(page, [FabricOut.of(each) for each in found], lambda each: each.id)


@router.post("", status_code=201, response_model=FabricOut)
def create_fabric(call: Changing, body: FabricIn) -> Response:
    """Create a fabric; its untagged VLAN comes with it."""
    wanted = FabricInput(body.name, body.class_type, body.description)
    return call.commit(201, lambda uow: FabricOut.of(fabrics.create(uow, call.principal, wanted)))


@router.get("/{key}", response_model=FabricOut)
def get_fabric(call: Reading, key: str) -> Response:
    """Show a fabric by name or id."""
    with call.begin() as uow:
        return call.one(FabricOut.of(fabrics.get(uow, call.principal, key)))


@router.patch("/{key}", response_model=FabricOut)
def update_fabric(call: Changing, key: str, body: FabricPatch) -> Response:
    """Change a fabric."""
    changes = FabricChanges(**body.sent())
    return call.commit(
        200, lambda uow: FabricOut.of(fabrics.update(uow, call.principal, key, changes, call.generation))
    )


@router.delete("/{key}", status_code=204)
def delete_fabric(call: Changing, key: str) -> Response:
    """Delete a fabric that nothing is on."""
    return call.commit(204, lambda uow: fabrics.delete(uow, call.principal, key, call.generation))
