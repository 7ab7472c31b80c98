"""Fabrics, VLANs, subnets and ranges: what is the same wire is the same thing, whatever it is called."""

import re
from dataclasses import replace

from hostloom.decide.importing.book import Book, Ids
from hostloom.decide.importing.names import usable_name
from hostloom.model.ids import FabricId, RangeId, SpaceId, SubnetId, VlanId
from hostloom.model.importing import ImportCode, ImportNoun, NewFabric, Remark
from hostloom.model.network import (
    MAX_MTU,
    MIN_MTU,
    UNTAGGED,
    AddressKind,
    Fabric,
    IPRange,
    Network,
    RangeKind,
    Subnet,
    Vlan,
)

#: What hostloom calls a fabric that it makes for a subnet which it sees for the first time.
_AUTOMATIC = re.compile(r"fabric-\d+")

#: Addresses that somebody was given; a dynamic range over one could give it out again.
_GIVEN = (AddressKind.AUTO, AddressKind.STATIC, AddressKind.RESERVED)


def plan_network(book: Book) -> None:
    """All four; the VLANs that others relay through come first."""
    vlan_ids = Ids(book.present.snapshot.vlan_by_id, (each.id for each in book.estate.vlans))
    made = _plan_fabrics(book, vlan_ids)
    _plan_vlans(book, vlan_ids, made)
    _plan_subnets(book)
    _plan_ranges(book)


# -- fabrics ---------------------------------------------------------------------------------------------


def _plan_fabrics(book: Book, vlan_ids: Ids) -> frozenset[FabricId]:
    """The ids of those that are new."""
    estate = book.estate
    ids = Ids(book.fabric_by_id, (each.id for each in estate.fabrics))
    untagged = {each.fabric_id: each.id for each in estate.vlans if each.vid == UNTAGGED}
    made: set[FabricId] = set()
    wired = _same_wires(book)
    # those that are recognised first: they may get another name, and leave theirs to others
    for each in sorted(estate.fabrics, key=lambda one: (one.id not in wired, one.id)):
        name, found = usable_name("fabric", each.name), wired.get(each.id)
        if found is None:
            name, found = _by_name(book, each, name)
        if found is None:
            new = Fabric(FabricId(ids.take(each.id)), name, each.class_type, each.description)
            vlan_id = VlanId(vlan_ids.take(untagged.get(each.id, 0)))
            remarks = () if name == each.name else (Remark(ImportCode.RENAMED, name),)
            book.create(ImportNoun.FABRIC, name, each.id, new.id, NewFabric(new, vlan_id), *remarks)
            book.vlan_by_id[vlan_id] = Vlan(vlan_id, new.id, UNTAGGED, "untagged")
            made.add(new.id)
        else:
            names = {other.name for other in book.fabric_by_id.values()} - {found.name}
            wanted = replace(
                found,
                name=found.name if name in names else name,
                class_type=each.class_type,
                description=each.description,
            )
            born = found.name if _AUTOMATIC.fullmatch(found.name) else None
            unsaid = {"name": born, "class_type": None, "description": ""}
            new = book.settle(ImportNoun.FABRIC, name, each.id, found, wanted, unsaid)
        book.fabric_by_id[new.id] = new
        book.fabrics[each.id] = new.id
    return frozenset(made)


def _same_wires(book: Book) -> dict[FabricId, Fabric]:
    """Ours for those of theirs that have a subnet on the same tag, each once."""
    ours = {each.id: _our_wires(book, each.id) for each in book.fabric_by_id.values()}
    found: dict[FabricId, Fabric] = {}
    for each in sorted(book.estate.fabrics, key=lambda one: one.id):
        wires, name = _wires(book, each), usable_name("fabric", each.name)
        same = [book.fabric_by_id[key] for key in ours if wires & ours[key]]
        if same:
            found[each.id] = min(same, key=lambda one: (one.name != name, one.id))
            del ours[found[each.id].id]
    return found


def _by_name(book: Book, theirs: Fabric, name: str) -> tuple[str, Fabric | None]:
    """The fabric of ours that has its name and may be it, or the name of a new one."""
    claimed = set(book.fabrics.values())
    by_name = {each.name: each for each in book.fabric_by_id.values()}
    number = 1
    candidate = name
    while (found := by_name.get(candidate)) is not None:
        if found.id not in claimed and not _is_another(book, theirs, found):
            return candidate, found
        number += 1
        candidate = f"{name}-{number}"
    return candidate, None


def _is_another(book: Book, theirs: Fabric, ours: Fabric) -> bool:
    """Two systems number their fabrics alike: such a name says nothing if the subnets are different ones."""
    if not _AUTOMATIC.fullmatch(ours.name):
        return False
    return bool(_our_wires(book, ours.id)) and bool(_wires(book, theirs))


def _wires(book: Book, fabric: Fabric) -> set[tuple[int, Network]]:
    vids = {each.id: each.vid for each in book.estate.vlans if each.fabric_id == fabric.id}
    return {(vids[each.vlan_id], each.cidr) for each in book.estate.subnets if each.vlan_id in vids}


def _our_wires(book: Book, fabric_id: FabricId) -> set[tuple[int, Network]]:
    vids = {each.id: each.vid for each in book.vlan_by_id.values() if each.fabric_id == fabric_id}
    return {(vids[each.vlan_id], each.cidr) for each in book.subnet_by_id.values() if each.vlan_id in vids}


# -- VLANs -----------------------------------------------------------------------------------------------


def _plan_vlans(book: Book, ids: Ids, new_fabrics: frozenset[FabricId]) -> None:
    by_vid = {(each.fabric_id, each.vid): each for each in book.vlan_by_id.values()}
    for each in sorted(book.estate.vlans, key=lambda one: (one.relay_vlan_id is not None, one.id)):
        fabric_id = book.fabrics.get(each.fabric_id)
        if fabric_id is None:
            name = f"{each.fabric_id}/{each.vid}"
            found = Remark(ImportCode.WITHOUT_PARENT, f"fabric {each.fabric_id}")
            book.refuse(ImportNoun.VLAN, name, each.id, found)
            continue
        ours = by_vid.get((fabric_id, each.vid))
        vlan = _plan_vlan(book, ids, each, fabric_id, ours, is_new=fabric_id in new_fabrics)
        by_vid[fabric_id, each.vid] = book.vlan_by_id[vlan.id] = vlan
        book.vlans[each.id] = vlan.id


def _plan_vlan(
    book: Book, ids: Ids, theirs: Vlan, fabric_id: FabricId, ours: Vlan | None, *, is_new: bool
) -> Vlan:
    unnamed = "untagged" if theirs.vid == UNTAGGED else f"vlan-{theirs.vid}"
    wanted = Vlan(
        VlanId(0) if ours is None else ours.id,
        fabric_id,
        theirs.vid,
        usable_name("vlan", theirs.name or unnamed),
        mtu=min(max(theirs.mtu, MIN_MTU), MAX_MTU),
        relay_vlan_id=None if theirs.relay_vlan_id is None else book.vlans.get(theirs.relay_vlan_id),
        space_id=None if theirs.space_id is None else book.spaces.get(theirs.space_id),
        description=theirs.description,
    )
    name = f"{book.fabric_by_id[fabric_id].name}/{theirs.vid}"
    if ours is None or is_new:
        # a fabric comes with its untagged VLAN, whose id it was given
        made = wanted if ours is not None else replace(wanted, id=VlanId(ids.take(theirs.id)))
        book.create(ImportNoun.VLAN, name, theirs.id, made.id, made)
        return made
    served = ours.dhcp_on or ours.relay_vlan_id is not None
    wanted = replace(
        wanted,
        dhcp_on=ours.dhcp_on,
        # ours is how it is served now
        relay_vlan_id=ours.relay_vlan_id if served else wanted.relay_vlan_id,
        primary_rack_id=ours.primary_rack_id,
        secondary_rack_id=ours.secondary_rack_id,
        generation=ours.generation,
    )
    unsaid = {"name": unnamed, "mtu": 1500, "relay_vlan_id": None, "space_id": None, "description": ""}

    def words(field: str, value: object) -> str:
        if field == "space_id":
            return _space_name(book, value)
        return book.vlan_name(value) if field == "relay_vlan_id" else str(value)  # type: ignore[arg-type]  # as the field's

    found: Vlan = book.settle(ImportNoun.VLAN, name, theirs.id, ours, wanted, unsaid, words=words)
    return found


def _space_name(book: Book, key: object) -> str:
    return "" if key is None else book.space_by_id[SpaceId(int(str(key)))].name


# -- subnets ---------------------------------------------------------------------------------------------


def _plan_subnets(book: Book) -> None:
    ids = Ids(book.subnet_by_id, (each.id for each in book.estate.subnets))
    for each in sorted(book.estate.subnets, key=lambda one: one.id):
        found = _plan_subnet(book, ids, each)
        if found is not None:
            book.subnet_by_id[found.id] = found
            book.subnets[each.id] = found.id


def _plan_subnet(book: Book, ids: Ids, theirs: Subnet) -> Subnet | None:
    """As it will be; None: it is not imported."""
    cidr = str(theirs.cidr)
    vlan_id = book.vlans.get(theirs.vlan_id)
    if vlan_id is None:
        book.refuse(ImportNoun.SUBNET, cidr, theirs.id, Remark(ImportCode.WITHOUT_PARENT, "its VLAN"))
        return None
    gateway = theirs.gateway
    remarks: tuple[Remark, ...] = ()
    if gateway is not None and not _fits(theirs):
        gateway, remarks = None, (Remark(ImportCode.GATEWAY, str(gateway)),)
    name = cidr if theirs.name in ("", cidr) else usable_name("subnet", theirs.name)
    wanted = replace(
        theirs, id=SubnetId(0), vlan_id=vlan_id, gateway=gateway, name=name, ntp_servers=(), generation=1
    )
    ours = _same_subnet(book, wanted)
    if ours is None:
        return _new_subnet(book, ids, theirs, wanted, remarks)
    moved = ours.vlan_id != vlan_id
    if moved and not _is_ours_to_move(book, ours):
        where = Remark(ImportCode.OTHER_VLAN, book.vlan_name(ours.vlan_id))
        book.refuse(ImportNoun.SUBNET, cidr, theirs.id, where, *remarks, ours=ours.id)
        return ours
    if moved:
        remarks = (Remark(ImportCode.MOVED, book.vlan_name(ours.vlan_id)), *remarks)
    wanted = replace(
        ours,
        vlan_id=vlan_id,
        name=name,
        gateway=gateway,
        dns_servers=theirs.dns_servers,
        managed=theirs.managed,
        description=theirs.description,
    )
    unsaid = {
        "vlan_id": ours.vlan_id,
        "name": cidr,
        "gateway": None,
        "dns_servers": (),
        "managed": True,
        "description": "",
    }

    def words(field: str, value: object) -> str:
        if field == "vlan_id":
            return book.vlan_name(value)  # type: ignore[arg-type]  # as the field's
        return ", ".join(map(str, value)) if isinstance(value, tuple) else str("" if value is None else value)

    found: Subnet = book.settle(
        ImportNoun.SUBNET, cidr, theirs.id, ours, wanted, unsaid, *remarks, words=words
    )
    return found


def _new_subnet(
    book: Book, ids: Ids, theirs: Subnet, wanted: Subnet, remarks: tuple[Remark, ...]
) -> Subnet | None:
    fabric_id = book.vlan_by_id[wanted.vlan_id].fabric_id
    for other in book.subnet_by_id.values():
        same_fabric = book.vlan_by_id[other.vlan_id].fabric_id == fabric_id
        if same_fabric and other.cidr.version == wanted.cidr.version and other.cidr.overlaps(wanted.cidr):
            found = Remark(ImportCode.OVERLAPS, str(other.cidr))
            book.refuse(ImportNoun.SUBNET, str(wanted.cidr), theirs.id, found)
            return None
    made = replace(wanted, id=SubnetId(ids.take(theirs.id)))
    book.create(ImportNoun.SUBNET, str(made.cidr), theirs.id, made.id, made, *remarks)
    return made


def _same_subnet(book: Book, wanted: Subnet) -> Subnet | None:
    """Ours of this network: on this VLAN, in this fabric, or anywhere."""
    same = [each for each in book.subnet_by_id.values() if each.cidr == wanted.cidr]
    fabric_id = book.vlan_by_id[wanted.vlan_id].fabric_id

    def distance(each: Subnet) -> tuple[bool, bool, int]:
        other_fabric = book.vlan_by_id[each.vlan_id].fabric_id != fabric_id
        return each.vlan_id != wanted.vlan_id, other_fabric, each.id

    return min(same, key=distance, default=None)


def _is_ours_to_move(book: Book, subnet: Subnet) -> bool:
    """hostloom put it where it is by itself, and no machine of ours has an address of it."""
    vlan = book.vlan_by_id[subnet.vlan_id]
    fabric = book.fabric_by_id[vlan.fabric_id]
    automatic = _AUTOMATIC.fullmatch(fabric.name) is not None and fabric.generation == 1
    untouched = subnet.generation == vlan.generation == 1 and vlan.vid == UNTAGGED and not vlan.dhcp_on
    held = any(
        each.subnet_id == subnet.id and each.kind in (AddressKind.AUTO, AddressKind.STATIC)
        for each in book.present.snapshot.held
    )
    return automatic and untouched and not held


def _fits(subnet: Subnet) -> bool:
    gateway, cidr = subnet.gateway, subnet.cidr
    if gateway is None or gateway.version != cidr.version:
        return gateway is None
    if gateway.version == 6 and gateway.is_link_local:
        return True
    has_ends = cidr.version == 4 and cidr.prefixlen < cidr.max_prefixlen - 1
    return gateway in cidr and not (has_ends and gateway in (cidr.network_address, cidr.broadcast_address))


# -- ranges ----------------------------------------------------------------------------------------------


def _plan_ranges(book: Book) -> None:
    ids = Ids(book.range_by_id, (each.id for each in book.estate.ranges))
    for each in sorted(book.estate.ranges, key=lambda one: one.id):
        name = f"{each.start}-{each.end}"
        subnet_id = book.subnets.get(each.subnet_id)
        if subnet_id is None:
            found = Remark(ImportCode.WITHOUT_PARENT, "its subnet")
            book.refuse(ImportNoun.RANGE, name, each.id, found)
            continue
        subnet = book.subnet_by_id[subnet_id]
        others = [one for one in book.range_by_id.values() if one.subnet_id == subnet_id]
        wanted = replace(each, id=RangeId(0), subnet_id=subnet_id, generation=1)
        same = next((one for one in others if _span(one) == _span(wanted)), None)
        if same is not None:
            settled = replace(same, comment=each.comment)
            book.settle(ImportNoun.RANGE, name, each.id, same, settled, {"comment": ""})
        elif (reason := _refusal(book, subnet, wanted, others)) is not None:
            book.refuse(ImportNoun.RANGE, name, each.id, reason)
        else:
            made = replace(wanted, id=RangeId(ids.take(each.id)))
            book.create(ImportNoun.RANGE, name, each.id, made.id, made)
            book.range_by_id[made.id] = made


def _span(item: IPRange) -> tuple[RangeKind, int, int]:
    return item.kind, int(item.start), int(item.end)


def _refusal(book: Book, subnet: Subnet, wanted: IPRange, others: list[IPRange]) -> Remark | None:
    cidr, start, end = subnet.cidr, wanted.start, wanted.end
    if start not in cidr or end not in cidr or int(start) > int(end):
        return Remark(ImportCode.RANGE_REFUSED, f"not within {cidr}")
    for each in others:
        if int(each.start) <= int(end) and int(each.end) >= int(start):
            return Remark(ImportCode.OVERLAPS, f"{each.start}-{each.end}")
    return _lease_refusal(book, subnet, wanted) if wanted.kind is RangeKind.DYNAMIC else None


def _lease_refusal(book: Book, subnet: Subnet, wanted: IPRange) -> Remark | None:
    """As for a range that is made by hand."""
    cidr, start, end = subnet.cidr, wanted.start, wanted.end
    if not subnet.managed:
        return Remark(ImportCode.RANGE_REFUSED, f"{cidr} is not managed: leases are not ours to give")
    for held in book.present.snapshot.held:
        if held.subnet_id == subnet.id and held.kind in _GIVEN and held.ip in wanted:
            return Remark(ImportCode.RANGE_REFUSED, f"{held.ip} in it is given already")
    if subnet.gateway is not None and subnet.gateway in wanted:
        return Remark(ImportCode.RANGE_REFUSED, f"it holds the gateway {subnet.gateway}")
    edges = (cidr.network_address, cidr.broadcast_address)
    if cidr.version == 4 and cidr.prefixlen < cidr.max_prefixlen - 1 and (start in edges or end in edges):
        return Remark(ImportCode.RANGE_REFUSED, "it holds the network or broadcast address")
    return None
