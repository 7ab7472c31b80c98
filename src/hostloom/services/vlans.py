"""VLANs: tag, MTU, space, and DHCP service."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from hostloom.decide.dhcp.serving_racks import other_pair
from hostloom.model.access import Principal
from hostloom.model.errors.resources import InUse, NotFound
from hostloom.model.errors.values import Conflict, InvalidValue, NotTogether
from hostloom.model.ids import RackId, SpaceId, VlanId
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.network import DEFAULT_MTU, MAX_MTU, MAX_VID, MIN_MTU, UNTAGGED, Vlan, vlan_name
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin
from hostloom.services.naming import check_name, find_by_key, is_id
from hostloom.services.nouns import PublishedNoun, fields_of
from hostloom.services.publishing import commit_and_publish, served


class DhcpMode(StrEnum):
    """How our DHCP serves a VLAN."""

    ON = "on"
    OFF = "off"
    #: Through another VLAN's rack: a relay on this VLAN forwards to it.
    RELAY = "relay"


@dataclass(frozen=True)
class VlanInput:
    """A VLAN to create; `fabric` and `space` by name or id."""

    fabric: str
    vid: int
    name: str | None = None
    mtu: int = DEFAULT_MTU
    space: str | None = None
    description: str = ""


@dataclass(frozen=True)
class VlanChanges:
    """Changes of a VLAN; null as `space` removes it from its space."""

    name: str | Keep = KEEP
    vid: int | Keep = KEEP
    mtu: int | Keep = KEEP
    space: str | Keep | None = KEEP
    description: str | Keep = KEEP


@dataclass(frozen=True)
class DhcpInput:
    """How our DHCP serves a VLAN.

    With mode `relay`, `relay` names the relay VLAN; with mode `on`, `primary` and `secondary` name the
    serving and the standby rack, by name or id.
    """

    mode: DhcpMode
    relay: str | None = None
    #: None: hostloom chooses the rack, without a standby.
    primary: str | None = None
    secondary: str | None = None


def _find(uow: UnitOfWork, key: str) -> Vlan:
    """By FABRIC/VID, id, or a unique name; NotFound."""
    fabric, slash, vid = key.rpartition("/")
    if not slash:
        return find_by_key(uow.vlans, "vlan", key)
    vlan = None
    if is_id(vid):
        vlan = uow.vlans.find_by_vid(find_by_key(uow.fabrics, "fabric", fabric).id, int(vid))
    if vlan is None:
        raise NotFound("vlan", key)
    return vlan


def _add(uow: UnitOfWork, fields: VlanInput) -> Vlan:
    """Store a tagged VLAN; a fabric creates its untagged one."""
    fabric = find_by_key(uow.fabrics, "fabric", fields.fabric)
    if fields.vid == UNTAGGED:
        raise InvalidValue(
            "vid", fields.vid, "is the untagged VLAN, which the fabric has already", f"choose 1 to {MAX_VID}"
        )
    name = f"vlan-{fields.vid}" if fields.name is None else fields.name
    ids = {"fabric_id": fabric.id, "space_id": _space_id(uow, fields.space)}
    vlan = Vlan(VlanId(0), **fields_of(fields, "fabric", "space", name=name, **ids))
    return uow.vlans.add(_checked(vlan))


def _change(uow: UnitOfWork, before: Vlan, changes: VlanChanges) -> Vlan:
    fields = changed_fields(changes)
    if "space" in fields:
        fields["space_id"] = _space_id(uow, fields.pop("space"))
    vlan = replace(before, **fields)
    # an imported VLAN may have no name, which does not change
    return uow.vlans.update(_checked(vlan, is_named=vlan.name != before.name))


def _concerned(uow: UnitOfWork, before: Vlan | None, after: Vlan | None) -> Collection[VlanId]:
    """DHCP knows the MTU of a VLAN; one that is new or deleted is not served."""
    is_concerned = before is not None and after is not None and after.mtu != before.mtu
    return served(uow, after) if is_concerned and after is not None else ()


def set_dhcp(
    ports: Ports,
    principal: Principal,
    key: str,
    fields: DhcpInput,
    generation: int | None = None,
) -> Vlan:
    """Set how our DHCP serves a VLAN; reverted if the DHCP server refuses or cannot be reached.

    A VLAN may be served before it has a subnet or a dynamic range; then only reservations are answered.
    """
    require_admin(principal, "change DHCP")
    _check_together(fields)
    is_on = fields.mode is DhcpMode.ON

    def change(uow: UnitOfWork) -> tuple[tuple[Vlan, Vlan], Collection[VlanId]]:
        before = VLANS.find_current(uow, key, generation)
        if not is_on:
            _refuse_cut(uow, before, key)
        relay = fields.relay
        via = None if relay is None else _relay_id(before, _find(uow, relay), relay)
        first, second = _racks(uow, before, fields.primary, fields.secondary)
        after = replace(
            before,
            dhcp_on=is_on,
            relay_vlan_id=via,
            primary_rack_id=first,
            secondary_rack_id=second,
        )
        if after == before:
            return (before, before), ()
        concerned = served(uow, before)
        after = uow.vlans.update(after)
        return (before, after), concerned | served(uow, after)

    return commit_and_publish(ports, change, VLANS.put_back)[1]


def _check_together(fields: DhcpInput) -> None:
    mode, primary = fields.mode, fields.primary
    if mode is DhcpMode.RELAY and fields.relay is None:
        raise InvalidValue("relay", None, "is missing", "give the VLAN that serves this one")
    if mode is not DhcpMode.RELAY and fields.relay is not None:
        raise NotTogether("relay", f"mode {mode.value}", "only mode relay takes a VLAN to relay to")
    if mode is not DhcpMode.ON and (primary or fields.secondary):
        raise NotTogether(
            "primary" if primary else "secondary", f"mode {mode.value}", "only mode on takes racks"
        )


def _checked(vlan: Vlan, *, is_named: bool = True) -> Vlan:
    if is_named:
        check_name(vlan.name)
    if not UNTAGGED <= vlan.vid <= MAX_VID:
        raise InvalidValue("vid", vlan.vid, "is out of range", f"choose {UNTAGGED} to {MAX_VID}")
    if not MIN_MTU <= vlan.mtu <= MAX_MTU:
        raise InvalidValue("mtu", vlan.mtu, "is out of range", f"choose {MIN_MTU} to {MAX_MTU}")
    return vlan


def _space_id(uow: UnitOfWork, key: str | None) -> SpaceId | None:
    return None if key is None else find_by_key(uow.spaces, "space", key).id


def _racks(
    uow: UnitOfWork, vlan: Vlan, primary: str | None, secondary: str | None
) -> tuple[RackId | None, RackId | None]:
    """The racks of a VLAN; InvalidValue for an impossible pair."""
    first = None if primary is None else find_by_key(uow.racks, "rack", primary).id
    if secondary is None:
        return first, None
    if first is None:
        raise InvalidValue(
            "primary", None, "is missing", "give the rack that serves the VLAN while the secondary stands by"
        )
    second = find_by_key(uow.racks, "rack", secondary).id
    if first == second:
        raise InvalidValue("secondary", secondary, "is the primary too", "choose another rack")
    other = other_pair(uow.snapshot(), uow.racks.list(), vlan, first, second)
    if other is not None:
        names = f"{other[1].primary.name} with {other[1].secondary.name} standing by"
        place = f"VLAN {vlan_name(uow.fabrics.get(other[0].fabric_id).name, other[0].vid)}"
        raise Conflict(
            "secondary",
            secondary,
            "does not match the pair of",
            f"{place}, which is {names}",
            "a rack has one partner: use the same pair",
        )
    return first, second


def _relay_id(vlan: Vlan, via: Vlan, key: str) -> VlanId:
    if via.id == vlan.id:
        raise InvalidValue("relay", key, "is the VLAN itself", "choose another VLAN")
    if not via.dhcp_on:
        raise InvalidValue(
            "relay", key, "is not served by hostloom's DHCP itself", "choose a VLAN whose DHCP is on"
        )
    return via.id


def _refuse_cut(uow: UnitOfWork, vlan: Vlan, key: str) -> None:
    """Refuse to stop serving a VLAN through which others are relayed."""
    fabrics = {fabric.id: fabric.name for fabric in uow.fabrics.list()}
    relayed = [relayed_vlan for relayed_vlan in uow.vlans.list() if relayed_vlan.relay_vlan_id == vlan.id]
    if relayed:
        names = [vlan_name(fabrics[other.fabric_id], other.vid) for other in relayed]
        raise InUse("vlan", key, [f"VLAN {name}, which it serves by relay" for name in names])


VLANS = PublishedNoun[Vlan, VlanInput, VlanChanges](
    "vlan", lambda uow: uow.vlans, _add, _change, _concerned, many="VLANs", find_one=_find
)
