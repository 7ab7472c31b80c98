"""The utilization of dynamic ranges by subnet; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SubnetId
from hostloom.model.network import Address, RangeKind


@dataclass(frozen=True, slots=True)
class RangeUtilization:
    """The utilization of the dynamic ranges of one subnet."""

    subnet_id: SubnetId
    leased: int
    #: Number of addresses in the dynamic ranges.
    total: int

    @property
    def is_exhausted(self) -> bool:
        """Whether no address for a further client is left."""
        return self.leased >= self.total


def range_utilizations(
    snapshot: Snapshot, leased: Iterable[tuple[SubnetId, Address]]
) -> Mapping[SubnetId, RangeUtilization]:
    """The utilization of all served subnets with a dynamic range; reserved addresses do not count."""
    used_addresses: dict[SubnetId, set[Address]] = {}
    for subnet_id, ip in leased:
        used_addresses.setdefault(subnet_id, set()).add(ip)
    utilizations = {}
    for subnet in snapshot.subnets:
        ranges = [
            ip_range
            for ip_range in snapshot.ranges_by_subnet.get(subnet.id, ())
            if ip_range.kind is RangeKind.DYNAMIC
        ]
        if not ranges or subnet.vlan_id not in snapshot.bootable_vlans:
            continue
        total = sum(int(range_.end) - int(range_.start) + 1 for range_ in ranges)
        inside = sum(any(ip in range_ for range_ in ranges) for ip in used_addresses.get(subnet.id, ()))
        utilizations[subnet.id] = RangeUtilization(subnet.id, inside, total)
    return utilizations
