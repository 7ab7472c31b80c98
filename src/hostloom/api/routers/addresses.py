"""Held addresses over HTTP."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import In, Ip, Out, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import SystemId
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.services import addresses

router = APIRouter(prefix="/addresses", tags=["addresses"])

InSubnet = Annotated[str | None, Query(description="A subnet by CIDR, id or name.")]


class AddressIn(In):
    """An address to reserve; `subnet` is needed only if several subnets contain it."""

    ip: Ip
    subnet: Text | None = None
    comment: Text = ""


class AddressOut(Out):
    """An address and its holder; `until` is the time when an address of kind `on-wire` is free again."""

    ip: Ip
    kind: AddressKind
    subnet: str | None
    node: str | None
    system_id: str | None
    interface: str | None
    comment: str
    until: float | None

    @classmethod
    def of(cls, item: HeldAddress, names: Names) -> Self:
        """Of the model."""
        return cls(
            ip=item.ip,
            kind=item.kind,
            subnet=names.subnet(item.subnet_id),
            node=None if item.system_id is None else names.node(SystemId(item.system_id)),
            system_id=item.system_id,
            interface=item.interface_name,
            comment=item.comment,
            until=item.until,
        )


@router.get("", response_model=PageOut[AddressOut])
def list_addresses(
    call: Reading, page: Paging, subnet: InSubnet = None, kind: AddressKind | None = None
) -> Response:
    """List held addresses in order; the cursor counts them."""
    start = page.after_number or 0
    with call.begin() as uow:
        names = Names(uow)
        held_addresses = addresses.list_(uow, call.principal, subnet, kind)[start : start + page.more]
        address_outs = [AddressOut.of(address, names) for address in held_addresses]
    return call.page(page, address_outs, lambda _: start + page.limit)


@router.post("", status_code=201, response_model=AddressOut)
def reserve_address(call: Changing, body: AddressIn) -> Response:
    """Reserve an address."""
    return call.commit(
        201,
        lambda uow: AddressOut.of(
            addresses.reserve(uow, call.principal, body.ip, body.subnet, body.comment), Names(uow)
        ),
    )


@router.get("/{ip}", response_model=AddressOut)
def get_address(call: Reading, ip: Annotated[Ip, Path()], subnet: InSubnet = None) -> Response:
    """Show the holder of an address."""
    with call.begin() as uow:
        return call.one(AddressOut.of(addresses.get(uow, call.principal, ip, subnet), Names(uow)))


@router.delete("/{ip}", status_code=204)
def release_address(call: Changing, ip: Annotated[Ip, Path()], subnet: InSubnet = None) -> Response:
    """Release a reserved address, or delete the record that it was in use on the wire."""
    return call.commit(204, lambda uow: addresses.release(uow, call.principal, ip, subnet))
