"""Subnets over HTTP; a subnet's key is its CIDR, its id or its name."""

from typing import Self

from fastapi import APIRouter, Response
from pydantic import Field

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import ABSENT, Flag, In, Int, Ip, Out, Patch, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import SubnetId
from hostloom.model.network import Subnet
from hostloom.services import subnets
from hostloom.services.subnets import SubnetChanges, SubnetInput

router = APIRouter(prefix="/subnets", tags=["subnets"])


class SubnetIn(In):
    """A subnet to create; `vlan` by FABRIC/VID, id or name."""

    cidr: Text
    vlan: Text
    name: Text | None = None
    gateway: Ip | None = None
    dns_servers: list[Ip] = Field(default_factory=list)
    ntp_servers: list[Ip] = Field(default_factory=list)
    lease_time_s: Int | None = None
    managed: Flag = True
    description: Text = ""


class SubnetPatch(Patch):
    """What to change of a subnet; a `gateway` or `lease_time_s` of null takes it away."""

    vlan: Text = ABSENT
    name: Text = ABSENT
    gateway: Ip | None = ABSENT
    dns_servers: list[Ip] = ABSENT
    ntp_servers: list[Ip] = ABSENT
    lease_time_s: Int | None = ABSENT
    managed: Flag = ABSENT
    description: Text = ABSENT


class SubnetOut(Out):
    """A subnet."""

    id: int
    cidr: str
    name: str
    vlan: str
    space: str | None
    gateway: Ip | None
    dns_servers: list[Ip]
    ntp_servers: list[Ip]
    lease_time_s: int | None
    managed: bool
    description: str
    generation: int

    @classmethod
    def of(cls, item: Subnet, names: Names) -> Self:
        """Of the model."""
        return cls(
            id=item.id,
            cidr=str(item.cidr),
            name=item.name,
            vlan=names.vlan(item.vlan_id) or "",
            space=names.space(names.world.vlan_by_id[item.vlan_id].space_id),
            gateway=item.gateway,
            dns_servers=list(item.dns_servers),
            ntp_servers=list(item.ntp_servers),
            lease_time_s=item.lease_time_s,
            managed=item.managed,
            description=item.description,
            generation=item.generation,
        )


@router.get("", response_model=PageOut[SubnetOut])
def list_subnets(call: Reading, page: Paging) -> Response:
    """List subnets by id."""
    after = None if page.after_number is None else SubnetId(page.after_number)
    with call.begin() as uow:
        names = Names(uow)
        found = [SubnetOut.of(each, names) for each in subnets.list_(uow, call.principal, after, page.more)]
    return call.page(page, found, lambda each: each.id)


@router.post("", status_code=201, response_model=SubnetOut)
def create_subnet(call: Changing, body: SubnetIn) -> Response:
    """Create a subnet."""
    fields = {name: getattr(body, name) for name in SubnetIn.model_fields}
    servers = {"dns_servers": tuple(body.dns_servers), "ntp_servers": tuple(body.ntp_servers)}
    wanted = SubnetInput(**fields | servers)
    return call.perform(201, lambda: _shown(call, subnets.create(call.ports, call.principal, wanted)))


@router.get("/{key:path}", response_model=SubnetOut)
def get_subnet(call: Reading, key: str) -> Response:
    """Show a subnet."""
    with call.begin() as uow:
        return call.one(SubnetOut.of(subnets.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key:path}", response_model=SubnetOut)
def update_subnet(call: Changing, key: str, body: SubnetPatch) -> Response:
    """Change a subnet."""
    changes = SubnetChanges(**body.sent(dns_servers=tuple, ntp_servers=tuple))
    return call.perform(
        200,
        lambda: _shown(call, subnets.update(call.ports, call.principal, key, changes, call.generation)),
    )


@router.delete("/{key:path}", status_code=204)
def delete_subnet(call: Changing, key: str) -> Response:
    """Delete a subnet with its ranges; refused while somebody has an address of it."""
    return call.perform(204, lambda: subnets.delete(call.ports, call.principal, key, call.generation))


def _shown(call: Reading, subnet: Subnet) -> SubnetOut:
    with call.begin() as uow:
        return SubnetOut.of(subnet, Names(uow))
