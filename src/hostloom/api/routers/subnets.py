"""Subnets over HTTP; a subnet's key is its CIDR, its id or its name."""

from typing import Annotated, Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.derived import BodyForm, Sent, like
from hostloom.api.forms import Out, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import SubnetId
from hostloom.model.network import Subnet
from hostloom.services import subnets
from hostloom.services.subnets import SubnetChanges, SubnetInput

router = APIRouter(prefix="/subnets", tags=["subnets"])

#: Only MAAS's clients create subnets without a VLAN.
CreatedSubnet = Annotated[SubnetInput, BodyForm(types={"vlan": Text})]


@like(Subnet, hide=("automatic",), instead={"vlan_id": "vlan"})
class SubnetOut(Out):
    """A subnet."""

    cidr: str
    vlan: str
    space: str | None

    @classmethod
    def of(cls, item: Subnet, names: Names) -> Self:
        """Of the model."""
        space = names.space(names.world.vlan_by_id[item.vlan_id].space_id)
        return cls.made(item, cidr=str(item.cidr), vlan=names.vlan(item.vlan_id) or "", space=space)


@router.get("", response_model=PageOut[SubnetOut])
def list_subnets(call: Reading, page: Paging) -> Response:
    """List subnets by id."""
    after = None if page.after_number is None else SubnetId(page.after_number)
    with call.begin() as uow:
        names = Names(uow)
        subnet_outs = [
            SubnetOut.of(subnet, names) for subnet in subnets.list_(uow, call.principal, after, page.more)
        ]
    return call.page(page, subnet_outs, lambda answer: answer.id)


@router.post("", status_code=201, response_model=SubnetOut)
def create_subnet(call: Changing, body: CreatedSubnet) -> Response:
    """Create a subnet."""
    return call.perform(201, lambda: _shown(call, subnets.create(call.ports, call.principal, body)))


@router.get("/{key:path}", response_model=SubnetOut)
def get_subnet(call: Reading, key: str) -> Response:
    """Show a subnet."""
    with call.begin() as uow:
        return call.one(SubnetOut.of(subnets.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key:path}", response_model=SubnetOut)
def update_subnet(call: Changing, key: str, body: Sent[SubnetChanges]) -> Response:
    """Change a subnet."""
    return call.perform(
        200,
        lambda: _shown(call, subnets.update(call.ports, call.principal, key, body, call.generation)),
    )


@router.delete("/{key:path}", status_code=204)
def delete_subnet(call: Changing, key: str) -> Response:
    """Delete a subnet with its ranges; refused while an address of it is in use."""
    return call.perform(204, lambda: subnets.delete(call.ports, call.principal, key, call.generation))


def _shown(call: Reading, subnet: Subnet) -> SubnetOut:
    with call.begin() as uow:
        return SubnetOut.of(subnet, Names(uow))
