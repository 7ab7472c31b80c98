"""Imports subnets and ranges. The CIDR identifies a subnet. Overlapping records are refused."""

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

#: Assigned addresses, which a dynamic range must not contain.
_GIVEN = (AddressKind.AUTO, AddressKind.STATIC, AddressKind.RESERVED)


# -- subnets ---------------------------------------------------------------------------------------------


def plan_subnets(state: ImportState) -> None:
    """Plan the subnets in the order of ids, on planned VLANs."""
    ids = Ids(state.subnet_by_id, (subnet.id for subnet in state.source.subnets))
    for subnet in sorted(state.source.subnets, key=lambda subnet_: subnet_.id):
        planned = _plan_subnet(state, ids, subnet)
        if planned is not None:
            state.subnet_by_id[planned.id] = planned
            state.subnets[subnet.id] = planned.id


def _plan_subnet(state: ImportState, ids: Ids, theirs: Subnet) -> Subnet | None:
    """Plan a subnet. Returns our subnet; None if it is not imported."""
    cidr = str(theirs.cidr)
    vlan_id = state.vlans.get(theirs.vlan_id)
    if vlan_id is None:
        state.refuse(ImportNoun.SUBNET, cidr, theirs.id, Remark(ImportCode.WITHOUT_PARENT, "its VLAN"))
        return None
    gateway = theirs.gateway
    remarks: tuple[Remark, ...] = ()
    if gateway is not None and not _fits(theirs):
        gateway, remarks = None, (Remark(ImportCode.GATEWAY, str(gateway)),)
    name = cidr if theirs.name in ("", cidr) else usable_name("subnet", theirs.name)
    subnet = replace(
        theirs, id=SubnetId(0), vlan_id=vlan_id, gateway=gateway, name=name, ntp_servers=(), generation=1
    )
    ours = _same_subnet(state, subnet)
    if ours is None:
        return _new_subnet(state, ids, theirs, subnet, remarks)
    if ours.vlan_id != vlan_id:
        current = state.vlan_name(ours.vlan_id)
        if not _is_ours_to_move(state, ours):
            remark = Remark(ImportCode.OTHER_VLAN, current)
            state.refuse(ImportNoun.SUBNET, cidr, theirs.id, remark, *remarks, ours=ours.id)
            return ours
        remarks = (Remark(ImportCode.MOVED, current), *remarks)
    return _settle_subnet(state, theirs, ours, subnet, remarks)


def _settle_subnet(
    state: ImportState, theirs: Subnet, ours: Subnet, planned: Subnet, remarks: tuple[Remark, ...]
) -> Subnet:
    cidr = str(theirs.cidr)
    defaults = {
        "vlan_id": ours.vlan_id,
        "name": cidr,
        "gateway": None,
        "dns_servers": (),
        "managed": True,
        "description": "",
    }
    merged = replace(ours, **{field: getattr(planned, field) for field in defaults})

    def words(field: str, value: object) -> str:
        if field == "vlan_id":
            return state.vlan_name(value)  # type: ignore[arg-type]  # as the field's
        return ", ".join(map(str, value)) if isinstance(value, tuple) else str("" if value is None else value)

    settled: Subnet = state.settle(
        ImportNoun.SUBNET, cidr, theirs.id, ours, merged, defaults, *remarks, words=words
    )
    return settled


def _new_subnet(
    state: ImportState, ids: Ids, theirs: Subnet, planned: Subnet, remarks: tuple[Remark, ...]
) -> Subnet | None:
    fabric_id = state.vlan_by_id[planned.vlan_id].fabric_id
    for candidate in state.subnet_by_id.values():
        same_fabric = state.vlan_by_id[candidate.vlan_id].fabric_id == fabric_id
        if (
            same_fabric
            and candidate.cidr.version == planned.cidr.version
            and candidate.cidr.overlaps(planned.cidr)
        ):
            remark = Remark(ImportCode.OVERLAPS, str(candidate.cidr))
            state.refuse(ImportNoun.SUBNET, str(planned.cidr), theirs.id, remark)
            return None
    subnet = replace(planned, id=SubnetId(ids.take(theirs.id)))
    state.create(ImportNoun.SUBNET, str(subnet.cidr), theirs.id, subnet.id, subnet, *remarks)
    return subnet


def _same_subnet(state: ImportState, planned: Subnet) -> Subnet | None:
    """Find our subnet with the same CIDR: on the VLAN, else in the fabric, else anywhere."""
    same = [subnet for subnet in state.subnet_by_id.values() if subnet.cidr == planned.cidr]
    fabric_id = state.vlan_by_id[planned.vlan_id].fabric_id

    def distance(candidate: Subnet) -> tuple[bool, bool, int]:
        other_fabric = state.vlan_by_id[candidate.vlan_id].fabric_id != fabric_id
        return candidate.vlan_id != planned.vlan_id, other_fabric, candidate.id

    return min(same, key=distance, default=None)


def _is_ours_to_move(state: ImportState, subnet: Subnet) -> bool:
    """Whether hostloom chose the VLAN of a subnet automatically and no node has an address of it."""
    vlan = state.vlan_by_id[subnet.vlan_id]
    fabric = state.fabric_by_id[vlan.fabric_id]
    is_automatic = AUTOMATIC.fullmatch(fabric.name) is not None and fabric.generation == 1
    is_unchanged = subnet.generation == vlan.generation == 1 and vlan.vid == UNTAGGED and not vlan.dhcp_on
    has_addresses = any(
        address.subnet_id == subnet.id and address.kind in (AddressKind.AUTO, AddressKind.STATIC)
        for address in state.present.snapshot.held
    )
    return is_automatic and is_unchanged and not has_addresses


def _fits(subnet: Subnet) -> bool:
    return subnet.gateway is None or can_be_gateway(subnet.cidr, subnet.gateway)


# -- ranges ----------------------------------------------------------------------------------------------


def plan_ranges(state: ImportState) -> None:
    """Plan the ranges in the order of ids, in planned subnets."""
    ids = Ids(state.range_by_id, (range_.id for range_ in state.source.ranges))
    for range_ in sorted(state.source.ranges, key=lambda candidate: candidate.id):
        name = f"{range_.start}-{range_.end}"
        subnet_id = state.subnets.get(range_.subnet_id)
        if subnet_id is None:
            remark = Remark(ImportCode.WITHOUT_PARENT, "its subnet")
            state.refuse(ImportNoun.RANGE, name, range_.id, remark)
            continue
        subnet = state.subnet_by_id[subnet_id]
        candidates = [
            candidate for candidate in state.range_by_id.values() if candidate.subnet_id == subnet_id
        ]
        ip_range = replace(range_, id=RangeId(0), subnet_id=subnet_id, generation=1)
        same = next((candidate for candidate in candidates if _span(candidate) == _span(ip_range)), None)
        if same is not None:
            settled = replace(same, comment=range_.comment)
            state.settle(ImportNoun.RANGE, name, range_.id, same, settled, {"comment": ""})
        elif (reason := _refusal(state, subnet, ip_range, candidates)) is not None:
            state.refuse(ImportNoun.RANGE, name, range_.id, reason)
        else:
            created = replace(ip_range, id=RangeId(ids.take(range_.id)))
            state.create(ImportNoun.RANGE, name, range_.id, created.id, created)
            state.range_by_id[created.id] = created


def _span(item: IPRange) -> tuple[RangeKind, int, int]:
    return item.kind, int(item.start), int(item.end)


def _refusal(state: ImportState, subnet: Subnet, planned: IPRange, ranges: list[IPRange]) -> Remark | None:
    cidr, start, end = subnet.cidr, planned.start, planned.end
    if start not in cidr or end not in cidr or int(start) > int(end):
        return Remark(ImportCode.RANGE_REFUSED, f"not within {cidr}")
    for ip_range in ranges:
        if int(ip_range.start) <= int(end) and int(ip_range.end) >= int(start):
            return Remark(ImportCode.OVERLAPS, f"{ip_range.start}-{ip_range.end}")
    return _lease_refusal(state, subnet, planned) if planned.kind is RangeKind.DYNAMIC else None


def _lease_refusal(state: ImportState, subnet: Subnet, planned: IPRange) -> Remark | None:
    """Check a dynamic range like one that an operator creates."""
    cidr, start, end = subnet.cidr, planned.start, planned.end
    if not subnet.managed:
        return Remark(ImportCode.RANGE_REFUSED, f"{cidr} is not managed: leases are not ours to give")
    for address in state.present.snapshot.held:
        if address.subnet_id == subnet.id and address.kind in _GIVEN and address.ip in planned:
            return Remark(ImportCode.RANGE_REFUSED, f"{address.ip} in it is given already")
    if subnet.gateway is not None and subnet.gateway in planned:
        return Remark(ImportCode.RANGE_REFUSED, f"it holds the gateway {subnet.gateway}")
    special = special_address(cidr, start) or special_address(cidr, end)
    return None if special is None else Remark(ImportCode.RANGE_REFUSED, f"it holds the {special}")
