"""Racks over HTTP: their DHCP servers, what these run, and their leases."""

from typing import Any, Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.derived import Sent, like
from hostloom.api.forms import Out
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.dhcp import Lease
from hostloom.model.ids import RackId
from hostloom.model.rack import Rack, RackStatus
from hostloom.services import racks
from hostloom.services.racks import RackChanges, RackInput

router = APIRouter(prefix="/racks", tags=["racks"])


@like(Rack)
class RackOut(Out):
    """A rack, the VLANs that it serves, and those that it stands by for."""

    node: str | None
    vlans: list[str]
    standby_vlans: list[str]

    @classmethod
    def of(cls, item: Rack, names: Names) -> Self:
        """Of the model."""
        primary, standby = racks.vlans_of(names.world, names.racks, item)
        return cls.made(
            item,
            node=names.node(item.system_id),
            vlans=[names.vlan(vlan.id) or "" for vlan in primary],
            standby_vlans=[names.vlan(vlan.id) or "" for vlan in standby],
        )


@like(RackStatus)
class RackStatusOut(Out):
    """What a rack's server says of itself; `trouble` is empty when all is well."""

    versions: dict[str, str]
    uptimes_s: dict[str, float]

    @classmethod
    def of(cls, item: RackStatus) -> Self:
        """Of the model."""
        return cls.made(
            item,
            versions={str(version): text for version, text in item.versions},
            uptimes_s={str(version): seconds for version, seconds in item.uptimes_s},
        )


class LeaseOut(Out):
    """A lease; `machine` and `nic` of the one that has it, where it is known."""

    ip: str
    mac: str
    hostname: str
    subnet: str | None
    machine: str | None
    nic: str | None
    expires_at: float

    @classmethod
    def of(cls, item: Lease, names: Names) -> Self:
        """Of the model."""
        holder = names.nic_of(item.mac)
        is_known = item.subnet_id in names.world.subnet_by_id
        return cls(
            ip=str(item.ip),
            mac=str(item.mac),
            hostname=item.hostname,
            subnet=names.subnet(item.subnet_id) if is_known else None,
            machine=None if holder is None else names.node(holder[0]),
            nic=None if holder is None else holder[1],
            expires_at=item.expires_at,
        )


class LeasesOut(Out):
    """All leases of a rack, by address."""

    items: list[LeaseOut]


@router.get("", response_model=PageOut[RackOut])
def list_racks(call: Reading, page: Paging) -> Response:
    """List racks by id."""
    after = None if page.after_number is None else RackId(page.after_number)
    with call.begin() as uow:
        names = Names(uow)
        rack_outs = [RackOut.of(rack, names) for rack in racks.list_(uow, call.principal, after, page.more)]
    return call.page(page, rack_outs, lambda answer: answer.id)


@router.post("", status_code=201, response_model=RackOut)
def add_rack(call: Changing, body: Sent[RackInput]) -> Response:
    """Add a rack whose DHCP server answers on its control channel."""

    def do() -> RackOut:
        rack = racks.add(call.ports, call.principal, body)
        with call.begin() as uow:
            return RackOut.of(rack, Names(uow))

    return call.perform(201, do)


@router.get("/{key}", response_model=RackOut)
def get_rack(call: Reading, key: str) -> Response:
    """Show a rack by name or id."""
    with call.begin() as uow:
        return call.one(RackOut.of(racks.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key}", response_model=RackOut)
def update_rack(call: Changing, key: str, body: Sent[RackChanges]) -> Response:
    """Change a rack; a new control channel must answer."""

    def do() -> RackOut:
        rack = racks.update(call.ports, call.principal, key, body, call.generation)
        with call.begin() as uow:
            return RackOut.of(rack, Names(uow))

    return call.perform(200, do)


@router.delete("/{key}", status_code=204)
def delete_rack(call: Changing, key: str) -> Response:
    """Delete a rack that no VLAN names; its server goes on with what it has."""
    return call.commit(204, lambda uow: racks.delete(uow, call.principal, key, call.generation))


@router.get("/{key}/status", response_model=RackStatusOut)
def get_rack_status(call: Reading, key: str) -> RackStatusOut:
    """What its DHCP server says of itself now."""
    with call.begin() as uow:
        rack = racks.get(uow, call.principal, key)
    return RackStatusOut.of(racks.status(call.ports, call.principal, rack))


@router.get("/{key}/config")
def get_rack_config(call: Reading, key: str) -> dict[str, Any]:
    """The configuration that its DHCP server runs, a document a family."""
    return racks.running(call.ports, call.principal, key)


@router.get("/{key}/leases", response_model=LeasesOut)
def get_rack_leases(call: Reading, key: str) -> LeasesOut:
    """Its leases that are valid now, and who has them."""
    leases = racks.leases(call.ports, call.principal, key)
    with call.begin() as uow:
        names = Names(uow)
        return LeasesOut(items=[LeaseOut.of(lease, names) for lease in leases])
