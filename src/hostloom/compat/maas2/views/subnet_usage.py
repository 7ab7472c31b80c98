"""How full a subnet is, as MAAS shows it: ranges that are taken and free, shares, and who has what."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from hostloom.compat.maas2.responses import uri
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SystemId
from hostloom.model.network import AddressKind, HeldAddress, RangeKind, Subnet, usable_span
from hostloom.model.node import NodeKind
from hostloom.ports.store import UnitOfWork

#: MAAS's numbers of how an address was given.
ALLOC_TYPES = {
    AddressKind.AUTO: 0,
    AddressKind.STATIC: 1,
    AddressKind.RESERVED: 4,
    AddressKind.LEASE: 5,
    AddressKind.OBSERVED: 6,
    AddressKind.ON_WIRE: 6,
}
#: MAAS's numbers of what a node is.
NODE_TYPES = {
    NodeKind.MACHINE: 0,
    NodeKind.DEVICE: 1,
    NodeKind.RACK_CONTROLLER: 2,
    NodeKind.REGION_CONTROLLER: 3,
    NodeKind.REGION_AND_RACK_CONTROLLER: 4,
}


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses from `start` to `end`, both included, as numbers."""

    version: int
    start: int
    end: int
    purpose: str = ""

    @property
    def size(self) -> int:
        """How many there are."""
        return self.end - self.start + 1

    def shown(self, *, purpose: bool) -> dict[str, Any]:
        """As MAAS shows it."""
        make = ip_address if self.version == 4 else _six
        found = {
            "start": str(make(self.start)),
            "end": str(make(self.end)),
            "num_addresses": self.size,
        }
        return found | ({"purpose": [self.purpose]} if purpose else {})


def _six(number: int) -> Any:
    return ip_address(number.to_bytes(16, "big"))


def taken_of(world: Snapshot, subnet: Subnet) -> list[Span]:
    """Ranges and addresses that are not free, by address; of those that overlap the wider one counts."""
    version = subnet.cidr.version
    spans = [
        Span(version, int(ip_range.start), int(ip_range.end), ip_range.kind.value)
        for ip_range in world.ranges_by_subnet.get(subnet.id, ())
        # Of an unmanaged subnet the reserved ranges are what may be given.
        if subnet.managed or ip_range.kind is not RangeKind.RESERVED
    ]
    spans += [
        Span(version, int(held.ip), int(held.ip), "assigned-ip")
        for held in world.held
        if held.subnet_id == subnet.id
    ]
    if subnet.gateway is not None and subnet.gateway in subnet.cidr:
        spans.append(Span(version, int(subnet.gateway), int(subnet.gateway), "gateway-ip"))
    return list(_joined(spans))


def free_of(world: Snapshot, subnet: Subnet) -> list[Span]:
    """What is left between them."""
    spans, version = [], subnet.cidr.version
    for start, end in _givable(world, subnet):
        at = start
        for span in taken_of(world, subnet):
            if span.end < at or span.start > end:
                continue
            if span.start > at:
                spans.append(Span(version, at, span.start - 1))
            at = span.end + 1
        if at <= end:
            spans.append(Span(version, at, end))
    return spans


def statistics_of(world: Snapshot, subnet: Subnet, *, ranges: bool) -> dict[str, Any]:
    """Counts and shares; `usage` from 0 to 1."""
    free = free_of(world, subnet)
    bounds = list(_givable(world, subnet))
    total = sum(end - start + 1 for start, end in bounds)
    available = sum(span.size for span in free)
    usage = 0.0 if not total else 1 - available / total
    found: dict[str, Any] = {
        "num_available": available,
        "largest_available": max((span.size for span in free), default=0),
        "num_unavailable": total - available,
        "total_addresses": total,
        "usage": usage,
        "usage_string": f"{usage * 100:.0f}%",
        "available_string": f"{(1 - usage) * 100:.0f}%",
        "first_address": str(subnet.cidr[0]),
        "last_address": str(subnet.cidr[-1]),
        "ip_version": subnet.cidr.version,
    }
    if ranges:
        listed = [span.shown(purpose=True) for span in taken_of(world, subnet)]
        listed += [span.shown(purpose=False) | {"purpose": ["unused"]} for span in free]
        key = {each["start"]: int(ip_address(each["start"])) for each in listed}
        found["ranges"] = sorted(listed, key=lambda each: key[each["start"]])
    return found


def addresses_of(uow: UnitOfWork, subnet: Subnet, *, users: bool, summaries: bool) -> list[dict[str, Any]]:
    """Who has which address of the subnet, by address."""
    world = uow.snapshot()
    held = sorted((held for held in world.held if held.subnet_id == subnet.id), key=lambda each: int(each.ip))
    return [_held(world, each, users=users, summaries=summaries) for each in held]


def _held(world: Snapshot, held: HeldAddress, *, users: bool, summaries: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"ip": str(held.ip), "alloc_type": ALLOC_TYPES[held.kind]}
    if users:
        found["user"] = None
    node = None if held.system_id is None else world.node_by_system_id.get(SystemId(held.system_id))
    if summaries and node is not None:
        found["node_summary"] = {
            "system_id": node.system_id,
            "node_type": NODE_TYPES[node.kind],
            "fqdn": node.hostname,
            "hostname": node.hostname,
            "via": held.interface_name,
            "resource_uri": uri(f"nodes/{node.system_id}/"),
        }
    return found


def _givable(world: Snapshot, subnet: Subnet) -> Iterator[tuple[int, int]]:
    """What may be given at all: of an unmanaged subnet its reserved ranges alone."""
    first, last = usable_span(subnet.cidr)
    if subnet.managed:
        yield first, last
        return
    for span in world.ranges_by_subnet.get(subnet.id, ()):
        start, end = max(int(span.start), first), min(int(span.end), last)
        if span.kind is RangeKind.RESERVED and start <= end:
            yield start, end


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """By address, without overlaps."""
    at = -1
    for each in sorted(spans, key=lambda span: (span.start, -span.end)):
        if each.end <= at:
            continue
        start = max(each.start, at + 1)
        yield Span(each.version, start, each.end, each.purpose)
        at = each.end
