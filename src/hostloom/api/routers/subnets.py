"""Subnets over HTTP; a subnet's key is its CIDR, its id or its name."""

from typing import Annotated, Self

from hostloom.api.crud import Texts, changes_of, crud_router
from hostloom.api.forms import BodyForm, Out, Sent, Text, like
from hostloom.api.names import Names
from hostloom.model.network import Subnet
from hostloom.services.subnets import SUBNETS, SubnetChanges, SubnetInput

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


router = crud_router(
    SUBNETS,
    SubnetOut,
    changes_of(SUBNETS, CreatedSubnet, Sent[SubnetChanges]),
    Texts(
        delete="Delete a subnet with its ranges; refused while any of its addresses is in use.",
        key="CIDR, name or id",
    ),
    render=SubnetOut.of,
    path="/{key:path}",
)
