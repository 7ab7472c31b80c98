"""Services, planner and checker agree on every address; the checker has separate rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.decide.check.labels import check_address
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors.base import HostloomError
from hostloom.model.ids import FabricId, InterfaceId, MacAddress, RangeId, SubnetId, SystemId
from hostloom.model.machine import MachineInterface
from hostloom.model.network import (
    UNTAGGED,
    Address,
    AddressKind,
    Fabric,
    HeldAddress,
    IPRange,
    Network,
    RangeKind,
    SpecialAddress,
    Subnet,
    can_be_gateway,
    spans_of,
    special_address,
    usable_span,
)
from hostloom.model.node import InterfaceKind, LinkMode, Node, NodeInterface, NodeKind, VlanSource
from hostloom.model.request import AddressMode
from hostloom.ports.store import Store, UnitOfWork
from hostloom.services import addresses, nic_links
from hostloom.services.nic_links import LinkInput
from hostloom.store.engine import open_store
from support.template_database import copy_template

MAC = MacAddress("52:54:00:00:00:01")
NODE = SystemId("aaaaaa")
SMALL = 16
CIDRS = (
    "10.0.0.0/28",
    "10.0.0.0/30",
    "10.0.0.0/31",
    "10.0.0.0/32",
    "fd00::/64",
    "fd00::/126",
    "fd00::/127",
    "fd00::/128",
)


@dataclass(frozen=True)
class Case:
    """One subnet, and an address of it."""

    cidr: Network
    managed: bool
    gateway: Address | None
    #: Kind, start and end, which do not overlap.
    ranges: tuple[tuple[RangeKind, Address, Address], ...]
    held: tuple[tuple[AddressKind, Address], ...]
    ip: Address


@st.composite
def cases(draw: st.DrawFn) -> Case:
    cidr = ip_network(draw(st.sampled_from(CIDRS)))
    last = cidr.num_addresses - 1
    #: Near both ends, where the special addresses are.
    places = st.one_of(st.integers(0, min(last, 5)), st.integers(max(last - 5, 0), last))
    ends = sorted(draw(st.sets(places, max_size=4)))
    ranges = tuple(
        (draw(st.sampled_from(RangeKind)), cidr[start], cidr[end])
        for start, end in zip(ends[::2], ends[1::2], strict=False)
    )
    kinds = st.sampled_from([AddressKind.AUTO, AddressKind.RESERVED, AddressKind.LEASE])
    held = draw(st.dictionaries(places, kinds, max_size=2))
    gateway = draw(st.none() | places)
    return Case(
        cidr,
        draw(st.booleans()),
        None if gateway is None else cidr[gateway],
        ranges,
        tuple((kind, cidr[place]) for place, kind in held.items()),
        cidr[draw(places)],
    )


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(copy_template(tmp_path_factory.mktemp("store") / "hostloom.db"))
    yield store
    store.close()


def fill(uow: UnitOfWork, case: Case) -> Subnet:
    fabric = uow.fabrics.add(Fabric(FabricId(0), "lan"))
    vlan = uow.vlans.find_by_vid(fabric.id, UNTAGGED)
    assert vlan is not None
    subnet = uow.subnets.add(
        Subnet(SubnetId(0), case.cidr, vlan.id, str(case.cidr), case.gateway, managed=case.managed)
    )
    for kind, start, end in case.ranges:
        uow.ranges.add(IPRange(RangeId(0), subnet.id, kind, start, end))
    for held_as, ip in case.held:
        uow.addresses.hold(HeldAddress(ip, held_as, subnet.id))
    nic = NodeInterface(InterfaceId(0), "eth0", InterfaceKind.PHYSICAL, MAC, vlan.id, VlanSource.OPERATOR)
    uow.nodes.add(Node(NODE, "printer", NodeKind.DEVICE))
    uow.nodes.replace_interfaces(NODE, [nic])
    return subnet


def planner_gives(world: Snapshot, subnet: Subnet, ip: Address) -> bool:
    return address_index_of(world).problem(ip, subnet) is None


def planner_gives_next(world: Snapshot, subnet: Subnet, ip: Address) -> bool:
    """Whether the address is among the next free ones."""
    address_index = address_index_of(world)
    in_spans = any(low <= int(ip) <= high for low, high in spans_of(subnet, world.ranges))
    is_next = in_spans and not address_index.is_used(ip, subnet) and ip != subnet.gateway
    if subnet.cidr.num_addresses <= SMALL:
        assert (int(ip) in address_index.free(subnet)) == is_next
    return is_next


def checker_gives(world: Snapshot, subnet: Subnet, ip: Address) -> bool:
    bridge = Attachment(AttachKind.BRIDGE, "br0")
    mode = AddressMode.AUTO
    nic = MachineInterface("eth0", MAC, bridge, subnet.vlan_id, mode, (ip,), boot=True)
    return not list(check_address(world, nic, ip, subnet.id))


def succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except HostloomError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(case=cases())
def test_service_planner_and_checker_agree(one_store: Store, case: Case) -> None:
    ip = case.ip
    with one_store.begin() as uow:  # never committed
        subnet = fill(uow, case)
        world = uow.snapshot()
        is_given = planner_gives(world, subnet, ip)
        assert planner_gives_next(world, subnet, ip) == is_given
        assert checker_gives(world, subnet, ip) == is_given
        link = LinkInput(LinkMode.STATIC, str(subnet.id), ip)
        assert succeeds(lambda: nic_links.hold(uow, LOCAL_ADMIN, NODE, "eth0", link)) == is_given
        if is_given:
            uow.addresses.release(ip, subnet.id)
        # A reserved range keeps machines out of it: a user can set an address of it aside.
        kinds = {RangeKind.DYNAMIC} if case.managed else set(RangeKind)
        unreserved = replace(world, ranges=tuple(r for r in world.ranges if r.kind in kinds))
        can_be_set_aside = planner_gives(unreserved, subnet, ip)
        reserve = partial(addresses.reserve, uow, LOCAL_ADMIN, ip, str(subnet.id))
        assert succeeds(reserve) == can_be_set_aside


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [
        ("10.0.0.0/24", SpecialAddress.NETWORK, SpecialAddress.BROADCAST),
        ("10.0.0.0/30", SpecialAddress.NETWORK, SpecialAddress.BROADCAST),
        ("10.0.0.0/31", None, None),
        ("10.0.0.0/32", None, None),
        ("fd00::/64", SpecialAddress.ANYCAST, None),
        ("fd00::/126", SpecialAddress.ANYCAST, None),
        ("fd00::/127", None, None),
        ("fd00::/128", None, None),
    ],
)
def test_special_addresses(cidr: str, first: SpecialAddress | None, last: SpecialAddress | None) -> None:
    network = ip_network(cidr)
    assert special_address(network, network[0]) is first
    assert special_address(network, network[-1]) is last
    assert usable_span(network) == (
        int(network[0]) + (first is not None),
        int(network[-1]) - (last is not None),
    )
    can_be = [can_be_gateway(network, network[place]) for place in (0, -1)]
    assert can_be == [first is not SpecialAddress.NETWORK, last is not SpecialAddress.BROADCAST]


@pytest.mark.parametrize(
    ("cidr", "gateway", "is_one"),
    [
        ("10.0.0.0/24", "10.0.0.1", True),
        ("10.0.0.0/24", "10.0.1.1", False),
        ("10.0.0.0/24", "fe80::1", False),
        ("fd00::/64", "fe80::1", True),
        ("fd00::/64", "fd01::1", False),
        ("fd00::/64", "10.0.0.1", False),
    ],
)
def test_gateways(cidr: str, gateway: str, is_one: bool) -> None:
    assert can_be_gateway(ip_network(cidr), ip_address(gateway)) is is_one
