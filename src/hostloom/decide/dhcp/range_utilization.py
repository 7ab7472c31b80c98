"""Which subnets have no address left to lease; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SubnetId
from hostloom.model.network import Address, RangeKind


@dataclass(frozen=True, slots=True)
class RangeUtilization:
    """How full the dynamic ranges of one subnet are."""

    subnet_id: SubnetId
    leased: int
    #: Addresses in its dynamic ranges.
    total: int

    @property
    def is_exhausted(self) -> bool:
        """Whether no further client gets a lease."""
        return self.leased >= self.total


def range_utilizations(
    snapshot: Snapshot, leased: Iterable[tuple[SubnetId, Address]]
) -> Mapping[SubnetId, RangeUtilization]:
    """Of every subnet that our DHCP serves and that has a dynamic range; reserved addresses do not count."""
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
