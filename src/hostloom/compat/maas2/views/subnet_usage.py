"""The usage of a subnet as MAAS's clients read it: used and free ranges, statistics and addresses."""

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

#: MAAS's numbers for the kinds of addresses.
ALLOC_TYPES = {
    AddressKind.AUTO: 0,
    AddressKind.STATIC: 1,
    AddressKind.RESERVED: 4,
    AddressKind.LEASE: 5,
    AddressKind.OBSERVED: 6,
    AddressKind.ON_WIRE: 6,
}
#: MAAS's numbers for the kinds of nodes.
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
        """The number of addresses."""
        return self.end - self.start + 1

    def shown(self, *, purpose: bool) -> dict[str, Any]:
        """Make the document of a span."""
        make = ip_address if self.version == 4 else _six
        document = {
            "start": str(make(self.start)),
            "end": str(make(self.end)),
            "num_addresses": self.size,
        }
        return document | ({"purpose": [self.purpose]} if purpose else {})


def _six(number: int) -> Any:
    return ip_address(number.to_bytes(16, "big"))


def taken_of(world: Snapshot, subnet: Subnet) -> list[Span]:
    """List used ranges and addresses in order. Where spans overlap, the wider one takes precedence."""
    version = subnet.cidr.version
    spans = [
        Span(version, int(ip_range.start), int(ip_range.end), ip_range.kind.value)
        for ip_range in world.ranges_by_subnet.get(subnet.id, ())
        # In an unmanaged subnet hostloom assigns addresses only from reserved ranges.
        if subnet.managed or ip_range.kind is not RangeKind.RESERVED
    ]
    spans += [
        Span(version, int(address.ip), int(address.ip), "assigned-ip")
        for address in world.held
        if address.subnet_id == subnet.id
    ]
    if subnet.gateway is not None and subnet.gateway in subnet.cidr:
        spans.append(Span(version, int(subnet.gateway), int(subnet.gateway), "gateway-ip"))
    return list(_joined(spans))


def free_of(world: Snapshot, subnet: Subnet) -> list[Span]:
    """List the free spans in order."""
    spans, version = [], subnet.cidr.version
    for start, end in _givable(world, subnet):
        cursor = start
        for span in taken_of(world, subnet):
            if span.end < cursor or span.start > end:
                continue
            if span.start > cursor:
                spans.append(Span(version, cursor, span.start - 1))
            cursor = span.end + 1
        if cursor <= end:
            spans.append(Span(version, cursor, end))
    return spans


def statistics_of(world: Snapshot, subnet: Subnet, *, ranges: bool) -> dict[str, Any]:
    """Make the statistics of a subnet. `usage` is from 0 to 1."""
    free = free_of(world, subnet)
    bounds = list(_givable(world, subnet))
    total = sum(end - start + 1 for start, end in bounds)
    available = sum(span.size for span in free)
    usage = 0.0 if not total else 1 - available / total
    document: dict[str, Any] = {
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
        documents = [span.shown(purpose=True) for span in taken_of(world, subnet)]
        documents += [span.shown(purpose=False) | {"purpose": ["unused"]} for span in free]
        key = {span_document["start"]: int(ip_address(span_document["start"])) for span_document in documents}
        document["ranges"] = sorted(documents, key=lambda span_document: key[span_document["start"]])
    return document


def addresses_of(uow: UnitOfWork, subnet: Subnet, *, users: bool, summaries: bool) -> list[dict[str, Any]]:
    """List the addresses of a subnet with their holders, ordered by address."""
    world = uow.snapshot()
    addresses = sorted(
        (address for address in world.held if address.subnet_id == subnet.id),
        key=lambda address: int(address.ip),
    )
    return [_held(world, address, users=users, summaries=summaries) for address in addresses]


def _held(world: Snapshot, address: HeldAddress, *, users: bool, summaries: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"ip": str(address.ip), "alloc_type": ALLOC_TYPES[address.kind]}
    if users:
        document["user"] = None
    node = None if address.system_id is None else world.node_by_system_id.get(SystemId(address.system_id))
    if summaries and node is not None:
        document["node_summary"] = {
            "system_id": node.system_id,
            "node_type": NODE_TYPES[node.kind],
            "fqdn": node.hostname,
            "hostname": node.hostname,
            "via": address.interface_name,
            "resource_uri": uri(f"nodes/{node.system_id}/"),
        }
    return document


def _givable(world: Snapshot, subnet: Subnet) -> Iterator[tuple[int, int]]:
    """List the assignable spans. In an unmanaged subnet these are its reserved ranges."""
    lowest, highest = usable_span(subnet.cidr)
    if subnet.managed:
        yield lowest, highest
        return
    for span in world.ranges_by_subnet.get(subnet.id, ()):
        start, end = max(int(span.start), lowest), min(int(span.end), highest)
        if span.kind is RangeKind.RESERVED and start <= end:
            yield start, end


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Order spans by address and remove overlaps."""
    previous_end = -1
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.end <= previous_end:
            continue
        start = max(span.start, previous_end + 1)
        yield Span(span.version, start, span.end, span.purpose)
        previous_end = span.end
