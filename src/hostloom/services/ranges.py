"""IP ranges: addresses of a subnet for leases, and reserved ones."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from hostloom.model.errors.resources import InUse
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import RangeId, VlanId
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.network import Address, AddressKind, IPRange, RangeKind, Subnet, special_address
from hostloom.ports.store import UnitOfWork
from hostloom.services.nouns import PublishedNoun, fields_of
from hostloom.services.publishing import served
from hostloom.services.subnets import SUBNETS

#: Kinds of assigned addresses, which a dynamic range could assign a second time.
GIVEN = (AddressKind.AUTO, AddressKind.STATIC, AddressKind.RESERVED)


@dataclass(frozen=True)
class RangeInput:
    """A range to create; `subnet` by CIDR, id or name."""

    subnet: str
    kind: RangeKind
    start: Address
    end: Address
    comment: str = ""


@dataclass(frozen=True)
class RangeChanges:
    """What to change of a range."""

    start: Address | Keep = KEEP
    end: Address | Keep = KEEP
    comment: str | Keep = KEEP


def _add(uow: UnitOfWork, fields: RangeInput) -> IPRange:
    subnet = SUBNETS.find(uow, fields.subnet)
    ip_range = IPRange(RangeId(0), **fields_of(fields, "subnet", subnet_id=subnet.id))
    _check(uow, subnet, ip_range)
    return uow.ranges.add(ip_range)


def _change(uow: UnitOfWork, ip_range: IPRange, changes: RangeChanges) -> IPRange:
    changed = replace(ip_range, **changed_fields(changes))
    _check(uow, uow.subnets.get(ip_range.subnet_id), changed)
    return uow.ranges.update(changed)


def _concerned(uow: UnitOfWork, before: IPRange | None, after: IPRange | None) -> Collection[VlanId]:
    subnets = [uow.subnets.get(ip_range.subnet_id) for ip_range in (before, after) if ip_range is not None]
    return served(uow, *(uow.vlans.get(subnet.vlan_id) for subnet in subnets))


def _check(uow: UnitOfWork, subnet: Subnet, ip_range: IPRange) -> None:
    for field, end in (("start", ip_range.start), ("end", ip_range.end)):
        if end not in subnet.cidr:
            raise InvalidValue(
                field, end, f"is not in subnet {subnet.cidr}", "choose an address of the subnet"
            )
        special = special_address(subnet.cidr, end)
        if ip_range.kind is RangeKind.DYNAMIC and special is not None:
            raise InvalidValue(field, end, f"is the {special} of {subnet.cidr}", "choose a host address")
    if int(ip_range.end) < int(ip_range.start):
        raise InvalidValue("end", ip_range.end, f"is before the start {ip_range.start}")
    if ip_range.kind is RangeKind.DYNAMIC:
        _check_dynamic(uow, subnet, ip_range)


def _check_dynamic(uow: UnitOfWork, subnet: Subnet, ip_range: IPRange) -> None:
    if not subnet.managed:
        raise InvalidValue(
            "kind",
            ip_range.kind.value,
            f"needs a managed subnet, and {subnet.cidr} is not managed",
            "use kind reserved, or manage the subnet",
        )
    if subnet.gateway is not None and subnet.gateway in ip_range:
        raise Conflict(
            "start",
            ip_range.start,
            "begins a range that contains",
            f"the gateway {subnet.gateway}",
            "choose a range without it",
        )
    inside = [
        address
        for address in uow.addresses.list(subnet.id)
        if address.kind in GIVEN and address.ip in ip_range
    ]
    if inside:
        raise InUse(
            "range", f"{ip_range.start}-{ip_range.end}", [f"address {address.ip}" for address in inside]
        )


RANGES = PublishedNoun[IPRange, RangeInput, RangeChanges](
    "range", lambda uow: uow.ranges, _add, _change, _concerned
)
