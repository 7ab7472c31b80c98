"""VLANs over HTTP; a VLAN's key is FABRIC/VID, its id, or a name that only it has."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.derived import Sent, like
from hostloom.api.forms import Out
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.decide.dhcp.serving_racks import racks_of
from hostloom.model.ids import VlanId
from hostloom.model.network import Vlan, vlan_name
from hostloom.services import vlans
from hostloom.services.vlans import DhcpInput, DhcpMode, VlanChanges, VlanInput

router = APIRouter(prefix="/vlans", tags=["vlans"])


@like(
    Vlan,
    hide=("automatic",),
    instead={
        "fabric_id": "fabric",
        "dhcp_on": "dhcp",
        "relay_vlan_id": "relay",
        "space_id": "space",
        "primary_rack_id": "primary_rack",
        "secondary_rack_id": "secondary_rack",
    },
)
class VlanOut(Out):
    """A VLAN; `bootable`: our DHCP serves it, directly or through its relay VLAN.

    `foreign_dhcp`: servers that are none of ours, as the last probe found them.
    `racks`: which of ours serve it now, chosen or not, the first one first.
    """

    key: str
    fabric: str
    dhcp: DhcpMode
    relay: str | None
    primary_rack: str | None
    secondary_rack: str | None
    racks: list[str]
    bootable: bool
    foreign_dhcp: list[str]
    space: str | None

    @classmethod
    def of(cls, item: Vlan, names: Names) -> Self:
        """Of the model."""
        fabric = names.fabric(item.fabric_id)
        relayed = DhcpMode.OFF if item.relay_vlan_id is None else DhcpMode.RELAY
        return cls.made(
            item,
            key=vlan_name(fabric, item.vid),
            fabric=fabric,
            dhcp=DhcpMode.ON if item.dhcp_on else relayed,
            relay=names.vlan(item.relay_vlan_id),
            primary_rack=names.rack(item.primary_rack_id),
            secondary_rack=names.rack(item.secondary_rack_id),
            racks=[rack.name for rack in racks_of(names.world, names.racks, item)],
            bootable=item.id in names.world.bootable_vlans,
            foreign_dhcp=[str(other.server) for other in names.world.foreign_by_vlan.get(item.id, ())],
            space=names.space(item.space_id),
        )


@router.get("", response_model=PageOut[VlanOut])
def list_vlans(call: Reading, page: Paging) -> Response:
    """List VLANs by id."""
    after = None if page.after_number is None else VlanId(page.after_number)
    with call.begin() as uow:
        names = Names(uow)
        vlan_outs = [VlanOut.of(vlan, names) for vlan in vlans.list_(uow, call.principal, after, page.more)]
    return call.page(page, vlan_outs, lambda answer: answer.id)


@router.post("", status_code=201, response_model=VlanOut)
def create_vlan(call: Changing, body: Sent[VlanInput]) -> Response:
    """Create a tagged VLAN."""
    return call.commit(201, lambda uow: VlanOut.of(vlans.create(uow, call.principal, body), Names(uow)))


@router.put("/{key:path}/dhcp", response_model=VlanOut)
def set_vlan_dhcp(call: Changing, key: str, body: Sent[DhcpInput]) -> Response:
    """Serve a VLAN with our DHCP, or not, or through another VLAN's rack."""

    def do() -> VlanOut:
        vlan = vlans.set_dhcp(call.ports, call.principal, key, body, call.generation)
        with call.begin() as uow:
            return VlanOut.of(vlan, Names(uow))

    return call.perform(200, do)


@router.get("/{key:path}", response_model=VlanOut)
def get_vlan(call: Reading, key: str) -> Response:
    """Show a VLAN."""
    with call.begin() as uow:
        return call.one(VlanOut.of(vlans.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key:path}", response_model=VlanOut)
def update_vlan(call: Changing, key: str, body: Sent[VlanChanges]) -> Response:
    """Change a VLAN."""

    def do() -> VlanOut:
        vlan = vlans.update(call.ports, call.principal, key, body, call.generation)
        with call.begin() as uow:
            return VlanOut.of(vlan, Names(uow))

    return call.perform(200, do)


@router.delete("/{key:path}", status_code=204)
def delete_vlan(call: Changing, key: str) -> Response:
    """Delete a tagged VLAN that nothing is on."""
    return call.commit(204, lambda uow: vlans.delete(uow, call.principal, key, call.generation))
