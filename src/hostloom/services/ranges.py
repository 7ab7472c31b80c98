"""IP ranges: addresses of a subnet for leases, and reserved ones."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from hostloom.model.access import Principal
from hostloom.model.errors.resources import InUse
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import RangeId, VlanId
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.network import Address, AddressKind, IPRange, RangeKind, Subnet, special_address
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.services import subnets
from hostloom.services.access import require_admin, require_user
from hostloom.services.naming import check_generation, find_by_key
from hostloom.services.publishing import commit_and_publish, served

#: Addresses that were given out; a dynamic range over one could give it out a second time.
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


def list_(
    uow: UnitOfWork, principal: Principal, after: RangeId | None = None, limit: int | None = None
) -> list[IPRange]:
    """By id."""
    require_user(principal, "see ranges")
    return uow.ranges.list(after, limit)


def get(uow: UnitOfWork, principal: Principal, key: str) -> IPRange:
    """By id or START-END; NotFound."""
    require_user(principal, "see ranges")
    return find_by_key(uow.ranges, "range", key)


def create(ports: Ports, principal: Principal, fields: RangeInput) -> IPRange:
    """Create a range; on a served VLAN it is published to our DHCP."""
    require_admin(principal, "create ranges")

    def change(uow: UnitOfWork) -> tuple[IPRange, Collection[VlanId]]:
        subnet = subnets.get(uow, principal, fields.subnet)
        new = IPRange(RangeId(0), subnet.id, fields.kind, fields.start, fields.end, fields.comment)
        _check(uow, subnet, new)
        return uow.ranges.add(new), served(uow, uow.vlans.get(subnet.vlan_id))

    return commit_and_publish(ports, change, lambda uow, ip_range: uow.ranges.delete(ip_range.id))


def update(
    ports: Ports, principal: Principal, key: str, changes: RangeChanges, generation: int | None = None
) -> IPRange:
    """Change a range's ends or comment."""
    require_admin(principal, "change ranges")

    def change(uow: UnitOfWork) -> tuple[tuple[IPRange, IPRange], Collection[VlanId]]:
        before = get(uow, principal, key)
        check_generation("range", key, before, generation)
        after = replace(before, **changed_fields(changes))
        subnet = uow.subnets.get(before.subnet_id)
        _check(uow, subnet, after)
        return (before, uow.ranges.update(after)), served(uow, uow.vlans.get(subnet.vlan_id))

    def put_back(uow: UnitOfWork, ip_ranges: tuple[IPRange, IPRange]) -> None:
        before, after = ip_ranges
        uow.ranges.update(replace(before, generation=after.generation))

    return commit_and_publish(ports, change, put_back)[1]


def delete(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete a range; leases that it gave run out by themselves."""
    require_admin(principal, "delete ranges")

    def change(uow: UnitOfWork) -> tuple[IPRange, Collection[VlanId]]:
        old = get(uow, principal, key)
        check_generation("range", key, old, generation)
        uow.ranges.delete(old.id)
        return old, served(uow, uow.vlans.get(uow.subnets.get(old.subnet_id).vlan_id))

    def restore(uow: UnitOfWork, ip_range: IPRange) -> None:
        uow.ranges.add(ip_range)

    commit_and_publish(ports, change, restore)


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
