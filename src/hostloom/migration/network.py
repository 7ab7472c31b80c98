"""Fabrics and VLANs: what is the same wire is the same thing, whatever it is called."""

import re
from dataclasses import replace

from hostloom.migration.import_state import Ids, ImportState
from hostloom.migration.names import usable_name
from hostloom.model.ids import FabricId, SpaceId, VlanId
from hostloom.model.import_plan import ImportCode, ImportNoun, NewFabric, Remark
from hostloom.model.network import MAX_MTU, MIN_MTU, UNTAGGED, Fabric, Network, Vlan, vlan_name

#: What hostloom calls a fabric that it makes for a subnet which it sees for the first time.
AUTOMATIC = re.compile(r"fabric-\d+")


def plan_network(book: ImportState) -> None:
    """Both; the VLANs that others relay through come first."""
    vlan_ids = Ids(book.present.snapshot.vlan_by_id, (vlan.id for vlan in book.estate.vlans))
    fabric_ids = _plan_fabrics(book, vlan_ids)
    _plan_vlans(book, vlan_ids, fabric_ids)


# -- fabrics ---------------------------------------------------------------------------------------------


def _plan_fabrics(book: ImportState, vlan_ids: Ids) -> frozenset[FabricId]:
    """The ids of those that are new."""
    estate = book.estate
    ids = Ids(book.fabric_by_id, (fabric.id for fabric in estate.fabrics), lowest=0)
    untagged = {vlan.fabric_id: vlan.id for vlan in estate.vlans if vlan.vid == UNTAGGED}
    fabric_ids: set[FabricId] = set()
    wired = _same_wires(book)
    # those that are recognised first: they may get another name, and leave theirs to others
    for fabric in sorted(estate.fabrics, key=lambda one: (one.id not in wired, one.id)):
        name, found = usable_name("fabric", fabric.name), wired.get(fabric.id)
        if found is None:
            name, found = _by_name(book, fabric, name)
        if found is None:
            new = Fabric(FabricId(ids.take(fabric.id)), name, fabric.class_type, fabric.description)
            vlan_id = VlanId(vlan_ids.take(untagged.get(fabric.id, 0)))
            remarks = () if name == fabric.name else (Remark(ImportCode.RENAMED, name),)
            book.create(ImportNoun.FABRIC, name, fabric.id, new.id, NewFabric(new, vlan_id), *remarks)
            book.vlan_by_id[vlan_id] = Vlan(vlan_id, new.id, UNTAGGED, "untagged")
            fabric_ids.add(new.id)
        else:
            names = {other.name for other in book.fabric_by_id.values()} - {found.name}
            wanted = replace(
                found,
                name=found.name if name in names else name,
                class_type=fabric.class_type,
                description=fabric.description,
            )
            born = found.name if AUTOMATIC.fullmatch(found.name) else None
            unsaid = {"name": born, "class_type": None, "description": ""}
            new = book.settle(ImportNoun.FABRIC, name, fabric.id, found, wanted, unsaid)
        book.fabric_by_id[new.id] = new
        book.fabrics[fabric.id] = new.id
    return frozenset(fabric_ids)


def _same_wires(book: ImportState) -> dict[FabricId, Fabric]:
    """Ours for those of theirs that have a subnet on the same tag, each once."""
    ours = {fabric.id: _our_wires(book, fabric.id) for fabric in book.fabric_by_id.values()}
    fabrics: dict[FabricId, Fabric] = {}
    for fabric in sorted(book.estate.fabrics, key=lambda one: one.id):
        wires, name = _wires(book, fabric), usable_name("fabric", fabric.name)
        same = [book.fabric_by_id[key] for key in ours if wires & ours[key]]
        if same:
            fabrics[fabric.id] = min(same, key=lambda one: (one.name != name, one.id))
            del ours[fabrics[fabric.id].id]
    return fabrics


def _by_name(book: ImportState, theirs: Fabric, name: str) -> tuple[str, Fabric | None]:
    """The fabric of ours that has its name and may be it, or the name of a new one."""
    claimed = set(book.fabrics.values())
    by_name = {fabric.name: fabric for fabric in book.fabric_by_id.values()}
    number = 1
    candidate = name
    while (found := by_name.get(candidate)) is not None:
        if found.id not in claimed and not _is_another(book, theirs, found):
            return candidate, found
        number += 1
        candidate = f"{name}-{number}"
    return candidate, None


def _is_another(book: ImportState, theirs: Fabric, ours: Fabric) -> bool:
    """Two systems number their fabrics alike: such a name says nothing if the subnets are different ones."""
    if not AUTOMATIC.fullmatch(ours.name):
        return False
    return bool(_our_wires(book, ours.id)) and bool(_wires(book, theirs))


def _wires(book: ImportState, fabric: Fabric) -> set[tuple[int, Network]]:
    vids = {vlan.id: vlan.vid for vlan in book.estate.vlans if vlan.fabric_id == fabric.id}
    return {(vids[subnet.vlan_id], subnet.cidr) for subnet in book.estate.subnets if subnet.vlan_id in vids}


def _our_wires(book: ImportState, fabric_id: FabricId) -> set[tuple[int, Network]]:
    vids = {vlan.id: vlan.vid for vlan in book.vlan_by_id.values() if vlan.fabric_id == fabric_id}
    return {
        (vids[subnet.vlan_id], subnet.cidr) for subnet in book.subnet_by_id.values() if subnet.vlan_id in vids
    }


# -- VLANs -----------------------------------------------------------------------------------------------


def _plan_vlans(book: ImportState, ids: Ids, new_fabrics: frozenset[FabricId]) -> None:
    by_vid = {(vlan.fabric_id, vlan.vid): vlan for vlan in book.vlan_by_id.values()}
    for each in sorted(book.estate.vlans, key=lambda one: (one.relay_vlan_id is not None, one.id)):
        fabric_id = book.fabrics.get(each.fabric_id)
        if fabric_id is None:
            name = f"{each.fabric_id}/{each.vid}"
            remark = Remark(ImportCode.WITHOUT_PARENT, f"fabric {each.fabric_id}")
            book.refuse(ImportNoun.VLAN, name, each.id, remark)
            continue
        ours = by_vid.get((fabric_id, each.vid))
        vlan = _plan_vlan(book, ids, each, fabric_id, ours, is_new=fabric_id in new_fabrics)
        by_vid[fabric_id, each.vid] = book.vlan_by_id[vlan.id] = vlan
        book.vlans[each.id] = vlan.id


def _plan_vlan(
    book: ImportState, ids: Ids, theirs: Vlan, fabric_id: FabricId, ours: Vlan | None, *, is_new: bool
) -> Vlan:
    is_untagged = theirs.vid == UNTAGGED
    unnamed = "untagged" if is_untagged else ""
    born = "untagged" if is_untagged else f"vlan-{theirs.vid}"
    vlan = Vlan(
        VlanId(0) if ours is None else ours.id,
        fabric_id,
        theirs.vid,
        usable_name("vlan", theirs.name) if theirs.name else unnamed,
        mtu=min(max(theirs.mtu, MIN_MTU), MAX_MTU),
        relay_vlan_id=None if theirs.relay_vlan_id is None else book.vlans.get(theirs.relay_vlan_id),
        space_id=None if theirs.space_id is None else book.spaces.get(theirs.space_id),
        description=theirs.description,
    )
    name = vlan_name(book.fabric_by_id[fabric_id].name, theirs.vid)
    if ours is None or is_new:
        # a fabric comes with its untagged VLAN, whose id it was given
        made = vlan if ours is not None else replace(vlan, id=VlanId(ids.take(theirs.id)))
        book.create(ImportNoun.VLAN, name, theirs.id, made.id, made)
        return made
    served = ours.dhcp_on or ours.relay_vlan_id is not None
    vlan = replace(
        vlan,
        dhcp_on=ours.dhcp_on,
        # ours is how it is served now
        relay_vlan_id=ours.relay_vlan_id if served else vlan.relay_vlan_id,
        primary_rack_id=ours.primary_rack_id,
        secondary_rack_id=ours.secondary_rack_id,
        generation=ours.generation,
    )
    unsaid = {"name": born, "mtu": 1500, "relay_vlan_id": None, "space_id": None, "description": ""}

    def words(field: str, value: object) -> str:
        if field == "space_id":
            return _space_name(book, value)
        return book.vlan_name(value) if field == "relay_vlan_id" else str(value)  # type: ignore[arg-type]  # as the field's

    found: Vlan = book.settle(ImportNoun.VLAN, name, theirs.id, ours, vlan, unsaid, words=words)
    return found


def _space_name(book: ImportState, key: object) -> str:
    return "" if key is None else book.space_by_id[SpaceId(int(str(key)))].name
