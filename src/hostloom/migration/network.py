"""Imports fabrics and VLANs. A subnet on the same tag identifies a fabric, whatever its name."""

import re
from dataclasses import replace

from hostloom.migration.import_state import Ids, ImportState
from hostloom.migration.names import usable_name
from hostloom.model.ids import FabricId, SpaceId, VlanId
from hostloom.model.import_plan import ImportCode, ImportNoun, NewFabric, Remark
from hostloom.model.network import MAX_MTU, MIN_MTU, UNTAGGED, Fabric, Network, Vlan, vlan_name

#: The names of fabrics that hostloom creates automatically for a new subnet.
AUTOMATIC = re.compile(r"fabric-\d+")


def plan_network(state: ImportState) -> None:
    """Plan the fabrics and then their VLANs."""
    vlan_ids = Ids(state.present.snapshot.vlan_by_id, (vlan.id for vlan in state.source.vlans))
    fabric_ids = _plan_fabrics(state, vlan_ids)
    _plan_vlans(state, vlan_ids, fabric_ids)


# -- fabrics ---------------------------------------------------------------------------------------------


def _plan_fabrics(state: ImportState, vlan_ids: Ids) -> frozenset[FabricId]:
    """Plan the fabrics. Returns the ids of new ones."""
    source = state.source
    ids = Ids(state.fabric_by_id, (fabric.id for fabric in source.fabrics), lowest=0)
    untagged = {vlan.fabric_id: vlan.id for vlan in source.vlans if vlan.vid == UNTAGGED}
    new_ids: set[FabricId] = set()
    wired = _same_wires(state)
    # Fabrics with a match come first, because they may free their names.
    for fabric in sorted(source.fabrics, key=lambda fabric: (fabric.id not in wired, fabric.id)):
        name, match = usable_name("fabric", fabric.name), wired.get(fabric.id)
        if match is None:
            name, match = _by_name(state, fabric, name)
        if match is None:
            planned = Fabric(FabricId(ids.take(fabric.id)), name, fabric.class_type, fabric.description)
            vlan_id = VlanId(vlan_ids.take(untagged.get(fabric.id, 0)))
            remarks = () if name == fabric.name else (Remark(ImportCode.RENAMED, name),)
            state.create(
                ImportNoun.FABRIC, name, fabric.id, planned.id, NewFabric(planned, vlan_id), *remarks
            )
            state.vlan_by_id[vlan_id] = Vlan(vlan_id, planned.id, UNTAGGED, "untagged")
            new_ids.add(planned.id)
        else:
            names = {our_fabric.name for our_fabric in state.fabric_by_id.values()} - {match.name}
            merged = replace(
                match,
                name=match.name if name in names else name,
                class_type=fabric.class_type,
                description=fabric.description,
            )
            automatic_name = match.name if AUTOMATIC.fullmatch(match.name) else None
            defaults = {"name": automatic_name, "class_type": None, "description": ""}
            planned = state.settle(ImportNoun.FABRIC, name, fabric.id, match, merged, defaults)
        state.fabric_by_id[planned.id] = planned
        state.fabrics[fabric.id] = planned.id
    return frozenset(new_ids)


def _same_wires(state: ImportState) -> dict[FabricId, Fabric]:
    """Match their fabrics with ours by a common subnet on the same tag. Each of ours matches once."""
    ours = {fabric.id: _our_wires(state, fabric.id) for fabric in state.fabric_by_id.values()}
    fabrics: dict[FabricId, Fabric] = {}
    for fabric in sorted(state.source.fabrics, key=lambda fabric: fabric.id):
        wires, name = _wires(state, fabric), usable_name("fabric", fabric.name)
        same = [state.fabric_by_id[key] for key in ours if wires & ours[key]]
        if same:
            fabrics[fabric.id] = min(same, key=lambda fabric: (fabric.name != name, fabric.id))
            del ours[fabrics[fabric.id].id]
    return fabrics


def _by_name(state: ImportState, theirs: Fabric, name: str) -> tuple[str, Fabric | None]:
    """Match a fabric by name. Returns the match, or an unused name and None."""
    claimed = set(state.fabrics.values())
    by_name = {fabric.name: fabric for fabric in state.fabric_by_id.values()}
    number = 1
    candidate = name
    while (match := by_name.get(candidate)) is not None:
        if match.id not in claimed and not _is_another(state, theirs, match):
            return candidate, match
        number += 1
        candidate = f"{name}-{number}"
    return candidate, None


def _is_another(state: ImportState, theirs: Fabric, ours: Fabric) -> bool:
    """Whether fabrics with equal automatic names differ, because their subnets differ."""
    if not AUTOMATIC.fullmatch(ours.name):
        return False
    return bool(_our_wires(state, ours.id)) and bool(_wires(state, theirs))


def _wires(state: ImportState, fabric: Fabric) -> set[tuple[int, Network]]:
    vids = {vlan.id: vlan.vid for vlan in state.source.vlans if vlan.fabric_id == fabric.id}
    return {(vids[subnet.vlan_id], subnet.cidr) for subnet in state.source.subnets if subnet.vlan_id in vids}


def _our_wires(state: ImportState, fabric_id: FabricId) -> set[tuple[int, Network]]:
    vids = {vlan.id: vlan.vid for vlan in state.vlan_by_id.values() if vlan.fabric_id == fabric_id}
    return {
        (vids[subnet.vlan_id], subnet.cidr)
        for subnet in state.subnet_by_id.values()
        if subnet.vlan_id in vids
    }


# -- VLANs -----------------------------------------------------------------------------------------------


def _plan_vlans(state: ImportState, ids: Ids, new_fabrics: frozenset[FabricId]) -> None:
    by_vid = {(planned.fabric_id, planned.vid): planned for planned in state.vlan_by_id.values()}
    for vlan in sorted(state.source.vlans, key=lambda vlan_: (vlan_.relay_vlan_id is not None, vlan_.id)):
        fabric_id = state.fabrics.get(vlan.fabric_id)
        if fabric_id is None:
            name = f"{vlan.fabric_id}/{vlan.vid}"
            remark = Remark(ImportCode.WITHOUT_PARENT, f"fabric {vlan.fabric_id}")
            state.refuse(ImportNoun.VLAN, name, vlan.id, remark)
            continue
        ours = by_vid.get((fabric_id, vlan.vid))
        planned = _plan_vlan(state, ids, vlan, fabric_id, ours, is_new=fabric_id in new_fabrics)
        by_vid[fabric_id, vlan.vid] = state.vlan_by_id[planned.id] = planned
        state.vlans[vlan.id] = planned.id


def _plan_vlan(
    state: ImportState, ids: Ids, theirs: Vlan, fabric_id: FabricId, ours: Vlan | None, *, is_new: bool
) -> Vlan:
    vlan = _imported_vlan(state, theirs, fabric_id)
    name = vlan_name(state.fabric_by_id[fabric_id].name, theirs.vid)
    if ours is None or is_new:
        # A new fabric already has its untagged VLAN.
        planned = replace(vlan, id=VlanId(ids.take(theirs.id)) if ours is None else ours.id)
        state.create(ImportNoun.VLAN, name, theirs.id, planned.id, planned)
        return planned
    is_served = ours.dhcp_on or ours.relay_vlan_id is not None
    merged = replace(
        vlan,
        id=ours.id,
        dhcp_on=ours.dhcp_on,
        # Keep the current DHCP service.
        relay_vlan_id=ours.relay_vlan_id if is_served else vlan.relay_vlan_id,
        primary_rack_id=ours.primary_rack_id,
        secondary_rack_id=ours.secondary_rack_id,
        generation=ours.generation,
    )
    return _settle_vlan(state, theirs, ours, merged, name)


def _imported_vlan(state: ImportState, theirs: Vlan, fabric_id: FabricId) -> Vlan:
    unnamed = "untagged" if theirs.vid == UNTAGGED else ""
    return Vlan(
        VlanId(0),
        fabric_id,
        theirs.vid,
        usable_name("vlan", theirs.name) if theirs.name else unnamed,
        mtu=min(max(theirs.mtu, MIN_MTU), MAX_MTU),
        relay_vlan_id=None if theirs.relay_vlan_id is None else state.vlans.get(theirs.relay_vlan_id),
        space_id=None if theirs.space_id is None else state.spaces.get(theirs.space_id),
        description=theirs.description,
    )


def _settle_vlan(state: ImportState, theirs: Vlan, ours: Vlan, merged: Vlan, name: str) -> Vlan:
    default_name = "untagged" if theirs.vid == UNTAGGED else f"vlan-{theirs.vid}"
    defaults = {"name": default_name, "mtu": 1500, "relay_vlan_id": None, "space_id": None, "description": ""}

    def words(field: str, value: object) -> str:
        if field == "space_id":
            return _space_name(state, value)
        return state.vlan_name(value) if field == "relay_vlan_id" else str(value)  # type: ignore[arg-type]  # as the field's

    settled: Vlan = state.settle(ImportNoun.VLAN, name, theirs.id, ours, merged, defaults, words=words)
    return settled


def _space_name(state: ImportState, key: object) -> str:
    return "" if key is None else state.space_by_id[SpaceId(int(str(key)))].name
