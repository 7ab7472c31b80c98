"""Racks over HTTP: their DHCP servers with configurations and leases."""

from typing import Any, Self

from hostloom.api.calls import Reading
from hostloom.api.crud import Changes, Texts, crud_router, in_transaction, with_effects
from hostloom.api.forms import Out, Sent, like
from hostloom.api.names import Names
from hostloom.model.dhcp import Lease
from hostloom.model.rack import Rack, RackStatus
from hostloom.services import racks
from hostloom.services.racks import RACKS, RackChanges, RackInput


@like(Rack)
class RackOut(Out):
    """A rack, with the VLANs that it serves as primary and as standby."""

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
    """The status of a rack's server; `trouble` is empty if it has no problem."""

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
    """A lease; `machine` and `nic` of its holder, if known."""

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


router = crud_router(
    RACKS,
    RackOut,
    Changes(
        Sent[RackChanges],
        with_effects(racks.update),
        in_transaction(racks.delete),
        Sent[RackInput],
        with_effects(racks.add),
    ),
    Texts(
        create="Add a rack whose DHCP server answers on its control channel.",
        update="Change a rack; a new control channel must answer.",
        delete="Delete a rack that serves no VLAN; its DHCP server keeps its configuration.",
        verb="add",
    ),
    render=RackOut.of,
)


@router.get("/{key}/status", response_model=RackStatusOut)
def get_rack_status(call: Reading, key: str) -> RackStatusOut:
    """Show the current status of the rack's DHCP server."""
    with call.begin() as uow:
        rack = RACKS.get(uow, call.principal, key)
    return RackStatusOut.of(racks.status(call.ports, call.principal, rack))


@router.get("/{key}/config")
def get_rack_config(call: Reading, key: str) -> dict[str, Any]:
    """Show the running configuration of the rack's DHCP server, one document per IP family."""
    return racks.running(call.ports, call.principal, key)


@router.get("/{key}/leases", response_model=LeasesOut)
def get_rack_leases(call: Reading, key: str) -> LeasesOut:
    """Show the rack's valid leases and their holders."""
    leases = racks.leases(call.ports, call.principal, key)
    with call.begin() as uow:
        names = Names(uow)
        return LeasesOut(items=[LeaseOut.of(lease, names) for lease in leases])
