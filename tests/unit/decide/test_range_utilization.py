"""Dynamic ranges fill up with leases, and with nothing else."""

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from hostloom.decide.dhcp.range_utilization import range_utilizations
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import FabricId, RangeId, SubnetId, VlanId
from hostloom.model.network import Address, Fabric, IPRange, RangeKind, Subnet, Vlan

SUBNET = SubnetId(1)


def world(*, dhcp_on: bool = True, ranges: tuple[IPRange, ...] = ()) -> Snapshot:
    return Snapshot(
        fabrics=(Fabric(FabricId(1), "f"),),
        vlans=(Vlan(VlanId(1), FabricId(1), 0, "untagged", dhcp_on=dhcp_on),),
        subnets=(Subnet(SUBNET, ip_network("10.0.0.0/24"), VlanId(1), "s"),),
        ranges=ranges,
    )


def a_range(number: int, kind: RangeKind, first: int, last: int) -> IPRange:
    start, end = ip_address(f"10.0.0.{first}"), ip_address(f"10.0.0.{last}")
    return IPRange(RangeId(number), SUBNET, kind, start, end)


DYNAMIC = a_range(1, RangeKind.DYNAMIC, 10, 12)
SECOND = a_range(2, RangeKind.DYNAMIC, 20, 20)
RESERVED = a_range(3, RangeKind.RESERVED, 30, 90)


def leases(*numbers: int) -> list[tuple[SubnetId, Address]]:
    return [(SUBNET, ip_address(f"10.0.0.{number}")) for number in numbers]


def test_all_ranges_of_a_subnet_count_together() -> None:
    some = world(ranges=(DYNAMIC, SECOND, RESERVED))
    assert not range_utilizations(some, leases(10, 11, 12))[SUBNET].is_exhausted
    assert range_utilizations(some, leases(10, 11, 12, 20))[SUBNET].is_exhausted


def test_what_is_not_served_or_has_no_range_is_not_told() -> None:
    assert range_utilizations(world(dhcp_on=False, ranges=(DYNAMIC,)), ()) == {}
    assert range_utilizations(world(ranges=(RESERVED,)), ()) == {}


@given(st.lists(st.integers(0, 255), max_size=40))
def test_only_leases_inside_count_and_each_address_once(numbers: list[int]) -> None:
    found = range_utilizations(world(ranges=(DYNAMIC, SECOND)), leases(*numbers))[SUBNET]
    assert found.total == 4
    assert found.leased == len({each for each in numbers if each in (10, 11, 12, 20)})
    assert found.is_exhausted is (found.leased == 4)
