"""Subnets and ranges: one network is one subnet, wherever it is; what is in the way stays."""

from dataclasses import replace

from hostloom.migration.import_state import Ids, ImportState
from hostloom.migration.names import usable_name
from hostloom.migration.network import AUTOMATIC
from hostloom.model.ids import RangeId, SubnetId
from hostloom.model.import_plan import ImportCode, ImportNoun, Remark
from hostloom.model.network import (
    UNTAGGED,
    AddressKind,
    IPRange,
    RangeKind,
    Subnet,
    can_be_gateway,
    special_address,
)

#: Addresses that were given out; a dynamic range over one could give it out a second time.
_GIVEN = (AddressKind.AUTO, AddressKind.STATIC, AddressKind.RESERVED)


# -- subnets ---------------------------------------------------------------------------------------------


def plan_subnets(book: ImportState) -> None:
    """By id, on VLANs that are ours by now."""
    ids = Ids(book.subnet_by_id, (subnet.id for subnet in book.estate.subnets))
    for subnet in sorted(book.estate.subnets, key=lambda one: one.id):
        found = _plan_subnet(book, ids, subnet)
        if found is not None:
            book.subnet_by_id[found.id] = found
            book.subnets[subnet.id] = found.id


def _plan_subnet(book: ImportState, ids: Ids, theirs: Subnet) -> Subnet | None:
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
    subnet = replace(
        theirs, id=SubnetId(0), vlan_id=vlan_id, gateway=gateway, name=name, ntp_servers=(), generation=1
    )
    ours = _same_subnet(book, subnet)
    if ours is None:
        return _new_subnet(book, ids, theirs, subnet, remarks)
    moved = ours.vlan_id != vlan_id
    if moved and not _is_ours_to_move(book, ours):
        where = Remark(ImportCode.OTHER_VLAN, book.vlan_name(ours.vlan_id))
        book.refuse(ImportNoun.SUBNET, cidr, theirs.id, where, *remarks, ours=ours.id)
        return ours
    if moved:
        remarks = (Remark(ImportCode.MOVED, book.vlan_name(ours.vlan_id)), *remarks)
    subnet = replace(
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
        ImportNoun.SUBNET, cidr, theirs.id, ours, subnet, unsaid, *remarks, words=words
    )
    return found


def _new_subnet(
    book: ImportState, ids: Ids, theirs: Subnet, wanted: Subnet, remarks: tuple[Remark, ...]
) -> Subnet | None:
    fabric_id = book.vlan_by_id[wanted.vlan_id].fabric_id
    for other in book.subnet_by_id.values():
        same_fabric = book.vlan_by_id[other.vlan_id].fabric_id == fabric_id
        if same_fabric and other.cidr.version == wanted.cidr.version and other.cidr.overlaps(wanted.cidr):
            remark = Remark(ImportCode.OVERLAPS, str(other.cidr))
            book.refuse(ImportNoun.SUBNET, str(wanted.cidr), theirs.id, remark)
            return None
    subnet = replace(wanted, id=SubnetId(ids.take(theirs.id)))
    book.create(ImportNoun.SUBNET, str(subnet.cidr), theirs.id, subnet.id, subnet, *remarks)
    return subnet


def _same_subnet(book: ImportState, wanted: Subnet) -> Subnet | None:
    """Ours of this network: on this VLAN, in this fabric, or anywhere."""
    same = [subnet for subnet in book.subnet_by_id.values() if subnet.cidr == wanted.cidr]
    fabric_id = book.vlan_by_id[wanted.vlan_id].fabric_id

    def distance(each: Subnet) -> tuple[bool, bool, int]:
        other_fabric = book.vlan_by_id[each.vlan_id].fabric_id != fabric_id
        return each.vlan_id != wanted.vlan_id, other_fabric, each.id

    return min(same, key=distance, default=None)


def _is_ours_to_move(book: ImportState, subnet: Subnet) -> bool:
    """hostloom put it where it is by itself, and no machine of ours has an address of it."""
    vlan = book.vlan_by_id[subnet.vlan_id]
    fabric = book.fabric_by_id[vlan.fabric_id]
    automatic = AUTOMATIC.fullmatch(fabric.name) is not None and fabric.generation == 1
    untouched = subnet.generation == vlan.generation == 1 and vlan.vid == UNTAGGED and not vlan.dhcp_on
    held = any(
        held.subnet_id == subnet.id and held.kind in (AddressKind.AUTO, AddressKind.STATIC)
        for held in book.present.snapshot.held
    )
    return automatic and untouched and not held


def _fits(subnet: Subnet) -> bool:
    return subnet.gateway is None or can_be_gateway(subnet.cidr, subnet.gateway)


# -- ranges ----------------------------------------------------------------------------------------------


def plan_ranges(book: ImportState) -> None:
    """By id, in subnets that are ours by now."""
    ids = Ids(book.range_by_id, (range_.id for range_ in book.estate.ranges))
    for range_ in sorted(book.estate.ranges, key=lambda one: one.id):
        name = f"{range_.start}-{range_.end}"
        subnet_id = book.subnets.get(range_.subnet_id)
        if subnet_id is None:
            remark = Remark(ImportCode.WITHOUT_PARENT, "its subnet")
            book.refuse(ImportNoun.RANGE, name, range_.id, remark)
            continue
        subnet = book.subnet_by_id[subnet_id]
        others = [one for one in book.range_by_id.values() if one.subnet_id == subnet_id]
        ip_range = replace(range_, id=RangeId(0), subnet_id=subnet_id, generation=1)
        same = next((one for one in others if _span(one) == _span(ip_range)), None)
        if same is not None:
            settled = replace(same, comment=range_.comment)
            book.settle(ImportNoun.RANGE, name, range_.id, same, settled, {"comment": ""})
        elif (reason := _refusal(book, subnet, ip_range, others)) is not None:
            book.refuse(ImportNoun.RANGE, name, range_.id, reason)
        else:
            made = replace(ip_range, id=RangeId(ids.take(range_.id)))
            book.create(ImportNoun.RANGE, name, range_.id, made.id, made)
            book.range_by_id[made.id] = made


def _span(item: IPRange) -> tuple[RangeKind, int, int]:
    return item.kind, int(item.start), int(item.end)


def _refusal(book: ImportState, subnet: Subnet, wanted: IPRange, others: list[IPRange]) -> Remark | None:
    cidr, start, end = subnet.cidr, wanted.start, wanted.end
    if start not in cidr or end not in cidr or int(start) > int(end):
        return Remark(ImportCode.RANGE_REFUSED, f"not within {cidr}")
    for other in others:
        if int(other.start) <= int(end) and int(other.end) >= int(start):
            return Remark(ImportCode.OVERLAPS, f"{other.start}-{other.end}")
    return _lease_refusal(book, subnet, wanted) if wanted.kind is RangeKind.DYNAMIC else None


def _lease_refusal(book: ImportState, subnet: Subnet, wanted: IPRange) -> Remark | None:
    """As for a range that is made by hand."""
    cidr, start, end = subnet.cidr, wanted.start, wanted.end
    if not subnet.managed:
        return Remark(ImportCode.RANGE_REFUSED, f"{cidr} is not managed: leases are not ours to give")
    for held in book.present.snapshot.held:
        if held.subnet_id == subnet.id and held.kind in _GIVEN and held.ip in wanted:
            return Remark(ImportCode.RANGE_REFUSED, f"{held.ip} in it is given already")
    if subnet.gateway is not None and subnet.gateway in wanted:
        return Remark(ImportCode.RANGE_REFUSED, f"it holds the gateway {subnet.gateway}")
    special = special_address(cidr, start) or special_address(cidr, end)
    return None if special is None else Remark(ImportCode.RANGE_REFUSED, f"it holds the {special}")
