"""Racks over HTTP: their DHCP servers, what these run, and their leases."""

from typing import Any, Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import ABSENT, In, Out, Patch, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.dhcp import Lease
from hostloom.model.ids import RackId
from hostloom.model.rack import Rack, RackStatus
from hostloom.services import racks
from hostloom.services.racks import RackChanges, RackInput

router = APIRouter(prefix="/racks", tags=["racks"])


class RackIn(In):
    """A rack to add; `control` as `unix:/PATH`, `ssh://USER@HOST/PATH` or `http(s)://HOST:PORT/`.

    Without `node` a rack behind SSH is read, and recorded as the node that it is; `accept_key`: the
    fingerprint of its SSH key, as `HostKeyUnknown` showed it.
    """

    name: Text
    control: Text
    node: Text | None = None
    control6: Text = ""
    description: Text = ""
    accept_key: Text | None = None


class RackPatch(Patch):
    """What to change of a rack."""

    name: Text = ABSENT
    node: Text = ABSENT
    control: Text = ABSENT
    control6: Text = ABSENT
    description: Text = ABSENT


class RackOut(Out):
    """A rack, the VLANs that it serves, and those that it stands by for."""

    id: int
    name: str
    node: str | None
    system_id: str
    control: str
    control6: str
    vlans: list[str]
    standby_vlans: list[str]
    description: str
    generation: int

    @classmethod
    def of(cls, item: Rack, names: Names) -> Self:
        """Of the model."""
        primary, standby = racks.vlans_of(names.world, names.racks, item)
        return cls(
            id=item.id,
            name=item.name,
            node=names.node(item.system_id),
            system_id=item.system_id,
            control=item.control,
            control6=item.control6,
            vlans=[names.vlan(each.id) or "" for each in primary],
            standby_vlans=[names.vlan(each.id) or "" for each in standby],
            description=item.description,
            generation=item.generation,
        )


class RackStatusOut(Out):
    """What a rack's server says of itself; `trouble` is empty when all is well."""

    trouble: str
    versions: dict[str, str]
    uptimes_s: dict[str, float]
    ha_state: str
    ha_partner_state: str

    @classmethod
    def of(cls, item: RackStatus) -> Self:
        """Of the model."""
        return cls(
            trouble=item.trouble,
            versions={str(version): text for version, text in item.versions},
            uptimes_s={str(version): seconds for version, seconds in item.uptimes_s},
            ha_state=item.ha_state,
            ha_partner_state=item.ha_partner_state,
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
        known = item.subnet_id in names.world.subnet_by_id
        return cls(
            ip=str(item.ip),
            mac=str(item.mac),
            hostname=item.hostname,
            subnet=names.subnet(item.subnet_id) if known else None,
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
        found = [RackOut.of(each, names) for each in racks.list_(uow, call.principal, after, page.more)]
    return call.page(page, found, lambda each: each.id)


@router.post("", status_code=201, response_model=RackOut)
def add_rack(call: Changing, body: RackIn) -> Response:
    """Add a rack whose DHCP server answers on its control channel."""
    wanted = RackInput(**body.model_dump())

    def do() -> RackOut:
        rack = racks.add(call.ports, call.principal, wanted)
        with call.begin() as uow:
            return RackOut.of(rack, Names(uow))

    return call.perform(201, do)


@router.get("/{key}", response_model=RackOut)
def get_rack(call: Reading, key: str) -> Response:
    """Show a rack by name or id."""
    with call.begin() as uow:
        return call.one(RackOut.of(racks.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key}", response_model=RackOut)
def update_rack(call: Changing, key: str, body: RackPatch) -> Response:
    """Change a rack; a new control channel must answer."""
    changes = RackChanges(**body.sent())

    def do() -> RackOut:
        rack = racks.update(call.ports, call.principal, key, changes, call.generation)
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
    found = racks.leases(call.ports, call.principal, key)
    with call.begin() as uow:
        names = Names(uow)
        return LeasesOut(items=[LeaseOut.of(each, names) for each in found])
