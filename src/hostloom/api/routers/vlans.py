"""VLANs over HTTP; a VLAN's key is FABRIC/VID, its id, or a name that only it has."""

from typing import Self

from fastapi import Response

from hostloom.api.calls import Changing
from hostloom.api.crud import Changes, Texts, crud_router, in_transaction, with_effects
from hostloom.api.forms import Out, Sent, like
from hostloom.api.names import Names
from hostloom.decide.dhcp.serving_racks import racks_of
from hostloom.model.network import Vlan, vlan_name
from hostloom.services.vlans import VLANS, DhcpInput, DhcpMode, VlanChanges, VlanInput, set_dhcp


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

    `foreign_dhcp`: foreign servers that the last probe found.
    `racks`: the racks that serve the VLAN now, the primary first, whether chosen by the operator or not.
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


router = crud_router(
    VLANS,
    VlanOut,
    Changes(
        Sent[VlanChanges],
        with_effects(VLANS.publish_changes),
        in_transaction(VLANS.delete),
        Sent[VlanInput],
        in_transaction(VLANS.create),
    ),
    Texts(
        create="Create a tagged VLAN.",
        delete="Delete a tagged VLAN without subnets, interfaces and machines.",
        key="FABRIC/VID, id, or a name that only it has",
        noun="VLAN",
    ),
    render=VlanOut.of,
    path="/{key:path}",
)


@router.put("/{key:path}/dhcp", response_model=VlanOut)
def set_vlan_dhcp(call: Changing, key: str, body: Sent[DhcpInput]) -> Response:
    """Set whether our DHCP serves a VLAN, directly or through a relay VLAN."""
    return with_effects(set_dhcp)(call, 200, VlanOut.of, key, body, call.generation)
