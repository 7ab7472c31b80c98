"""Leases as held addresses and events, and a DHCP server that comes and goes, on both databases."""

from ipaddress import ip_address

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.dhcp import Lease
from hostloom.model.errors.outside import DhcpRejected
from hostloom.model.event import Event
from hostloom.model.ids import MacAddress, RangeId, SubnetId
from hostloom.model.machine import Machine
from hostloom.model.network import AddressKind, HeldAddress, IPRange, RangeKind
from hostloom.model.node import LinkMode
from hostloom.model.request import ComposeRequest
from hostloom.reconcilers.dhcp_watch import PUBLISH_EVERY_S, READ_EVERY_S, DhcpWatch
from hostloom.reconcilers.leases import LeaseIndex
from hostloom.sagas.taken_addresses import forget_old_marks
from hostloom.services import addresses, machines, nic_links, nodes
from support.little_world import LittleWorld

STRANGER = MacAddress("52:54:00:99:99:99")
FREE = "10.0.0.200"


@pytest.fixture
def watch(world: LittleWorld) -> DhcpWatch:
    """With a range to lease from; a lease of another address goes when the server is set."""
    with world.ports.store.begin() as uow:
        (subnet,) = uow.subnets.list()
        first, last = ip_address(FREE), ip_address("10.0.0.250")
        uow.ranges.add(IPRange(RangeId(0), subnet.id, RangeKind.DYNAMIC, first, last))
        uow.commit()
    watch = a_watch(world)
    watch.look()
    return watch


def a_watch(world: LittleWorld) -> DhcpWatch:
    assert world.ports.dhcp is not None
    return DhcpWatch(world.ports, world.ports.dhcp, world.rack, LeaseIndex(world.ports))


def lease(world: LittleWorld, ip: str, mac: MacAddress = STRANGER) -> Lease:
    """Give a lease of the one subnet."""
    with world.ports.store.begin() as uow:
        (subnet,) = uow.subnets.list()
    given = Lease(ip_address(ip), mac, "who", subnet.id, world.clock.time + 600)
    world.dhcp.leased.append(given)
    return given


def leased(world: LittleWorld) -> list[HeldAddress]:
    with world.ports.store.begin() as uow:
        return [each for each in uow.addresses.list() if each.kind is AddressKind.LEASE]


def told(world: LittleWorld) -> list[Event]:
    """Of DHCP, the oldest first."""
    kinds = ("lease-", "dhcp-", "address-", "range-")
    with world.ports.store.begin() as uow:
        return [each for each in reversed(uow.events.list()) if each.kind.startswith(kinds)]


def kinds(world: LittleWorld) -> list[str]:
    return [each.kind for each in told(world)]


def compose(world: LittleWorld, name: str = "web1", *, start: bool = True) -> Machine:
    request = ComposeRequest(interfaces="eth0:space=mgmt", hostname=name, memory_mib=256, start=start)
    machines.compose(world.ports, LOCAL_ADMIN, request)
    world.run()
    with world.ports.store.begin() as uow:
        machine = uow.machines.find(name)
    assert machine is not None
    return machine


def test_a_lease_is_held_and_reported_until_it_ends(world: LittleWorld, watch: DhcpWatch) -> None:
    given = lease(world, FREE)
    watch.look()
    (held,) = leased(world)
    assert (held.ip, held.subnet_id, held.system_id) == (given.ip, given.subnet_id, None)
    assert str(STRANGER) in held.comment
    world.dhcp.leased.clear()
    watch.look()
    assert leased(world) == []
    assert kinds(world) == ["lease-given", "lease-over"]
    assert {each.details["ip"] for each in told(world)} == {FREE}


def test_an_exhausted_range_is_reported_until_it_has_room(world: LittleWorld, watch: DhcpWatch) -> None:
    macs = [MacAddress(f"52:54:00:99:98:{n:02x}") for n in range(51)]
    for number, mac in enumerate(macs[:50]):
        lease(world, f"10.0.0.{200 + number}", mac)
    watch.look()
    assert "range-exhausted" not in kinds(world)
    lease(world, "10.0.0.250", macs[50])
    watch.look()
    (event,) = [each for each in told(world) if each.kind.startswith("range-")]
    assert (event.kind, str(event.subject)) == ("range-exhausted", "subnet 10.0.0.0/24")
    assert "51 of 51" in event.message
    del world.dhcp.leased[7]
    watch.look()
    assert [kind for kind in kinds(world) if kind.startswith("range-")] == ["range-exhausted", "range-free"]


def test_a_lease_of_a_node_is_held_by_it(world: LittleWorld, watch: DhcpWatch) -> None:
    with world.ports.store.begin() as uow:
        node = next(each for each in uow.nodes.list() if each.hostname == "kvm1")
    nic = next(each for each in node.interfaces if each.name == "br0")
    assert nic.mac is not None
    assert nic.mac in {each.mac for each in node.interfaces if each.name in nic.parents}
    lease(world, FREE, nic.mac)
    watch.look()
    (held,) = leased(world)
    assert (held.system_id, held.interface_name) == (node.system_id, nic.name)
    assert str(told(world)[-1].subject) == "node kvm1"


def test_a_machine_that_leases_its_own_address_is_reported_and_holds_it_once(
    world: LittleWorld, watch: DhcpWatch
) -> None:
    machine = compose(world)
    (nic,) = machine.interfaces
    lease(world, str(nic.ips[0]), nic.mac)
    watch.look()
    with world.ports.store.begin() as uow:
        held = [each for each in addresses.list_(uow, LOCAL_ADMIN) if each.ip == nic.ips[0]]
    assert [each.kind for each in held] == [AddressKind.AUTO]
    assert [(each.kind, str(each.subject)) for each in told(world)] == [("lease-given", "node web1")]


@pytest.mark.parametrize("looks", [True, False])
def test_what_a_running_machine_leased_stays_taken_when_its_link_goes(
    world: LittleWorld, watch: DhcpWatch, looks: bool
) -> None:
    machine = compose(world)
    (nic,) = machine.interfaces
    (ip,) = nic.ips
    lease(world, str(ip), nic.mac)
    watch.look()
    nic_links.unlink(world.ports, LOCAL_ADMIN, "web1", "eth0")
    world.dhcp.leased.clear()  # the server forgets a lease of an address that is reserved no more
    if looks:
        watch.look()
    assert compose(world, "web2").interfaces[0].ips[0] != ip
    world.clock.time += 601
    forget_old_marks(world.ports)
    watch.look()
    assert compose(world, "web3").interfaces[0].ips[0] == ip


def test_a_machine_gets_back_what_it_leases_itself(world: LittleWorld, watch: DhcpWatch) -> None:
    machine = compose(world)
    (nic,) = machine.interfaces
    lease(world, str(nic.ips[0]), nic.mac)
    watch.look()
    nic_links.unlink(world.ports, LOCAL_ADMIN, "web1", "eth0")
    wanted = nic_links.LinkInput(LinkMode.STATIC, "10.0.0.0/24", nic.ips[0])
    assert nic_links.link(world.ports, LOCAL_ADMIN, "web1", "eth0", wanted).interfaces[0].ips == nic.ips


def test_what_a_machine_that_is_off_had_is_free_at_once(world: LittleWorld, watch: DhcpWatch) -> None:
    machine = compose(world, start=False)
    nic_links.unlink(world.ports, LOCAL_ADMIN, "web1", "eth0")
    assert compose(world, "web2").interfaces[0].ips == machine.interfaces[0].ips


def test_what_a_device_leases_stays_taken_when_its_record_goes(world: LittleWorld, watch: DhcpWatch) -> None:
    with world.ports.store.begin() as uow:
        wanted = nodes.DeviceInput("printer", (STRANGER,))
        nodes.create_device(uow, LOCAL_ADMIN, world.ports.ids, wanted)
        uow.commit()
    lease(world, FREE)
    watch.look()
    assert [held.interface_name for held in leased(world)] == ["eth0"]
    with world.ports.store.begin() as uow:
        nodes.delete(uow, LOCAL_ADMIN, "printer")
        uow.commit()
    assert [(str(held.ip), held.system_id) for held in leased(world)] == [(FREE, None)]


def test_a_stranger_on_a_reserved_address_is_a_conflict(world: LittleWorld, watch: DhcpWatch) -> None:
    machine = compose(world)
    lease(world, str(machine.interfaces[0].ips[0]))
    watch.look()
    assert sorted(kinds(world)) == ["address-conflict", "lease-given"]
    (conflict,) = [each for each in told(world) if each.kind == "address-conflict"]
    assert "reserved for web1" in conflict.message
    assert [each.system_id for each in leased(world)] == [None]


def test_a_leased_address_is_given_to_no_machine(world: LittleWorld, watch: DhcpWatch) -> None:
    for last in range(1, 10):
        lease(world, f"10.0.0.{last}", MacAddress.parse(f"5254009999{last:02x}"))
    watch.look()
    taken = {each.ip for each in leased(world)}
    assert compose(world).interfaces[0].ips[0] not in taken


def test_a_restart_of_hostloom_repeats_no_events(world: LittleWorld, watch: DhcpWatch) -> None:
    lease(world, FREE)
    watch.look()
    lease(world, "10.0.0.201", MacAddress("52:54:00:99:99:98"))
    a_watch(world).look()
    assert [each.details["ip"] for each in told(world)] == [FREE, "10.0.0.201"]


def test_a_lease_whose_subnet_is_gone_is_left_out(world: LittleWorld, watch: DhcpWatch) -> None:
    world.dhcp.leased.append(
        Lease(ip_address("10.9.9.9"), STRANGER, "", SubnetId(99), world.clock.time + 600)
    )
    watch.look()
    assert leased(world) == []


def test_what_the_pulse_does_not_show_is_seen_later(world: LittleWorld, watch: DhcpWatch) -> None:
    lease(world, FREE)
    watch.look()
    pulse = world.dhcp.pulse()
    world.dhcp.pulse = lambda: pulse  # type: ignore[method-assign]
    world.dhcp.leased.clear()
    watch.look()
    assert len(leased(world)) == 1
    world.clock.time += READ_EVERY_S
    watch.look()
    assert leased(world) == []


def test_a_restarted_server_is_set_again_at_once(world: LittleWorld, watch: DhcpWatch) -> None:
    wanted = world.dhcp.intent
    assert wanted is not None
    world.dhcp.restart()
    watch.look()
    assert world.dhcp.intent == wanted


def test_a_lost_server_is_reported_once_and_configured_when_it_returns(
    world: LittleWorld, watch: DhcpWatch
) -> None:
    wanted = world.dhcp.intent
    world.dhcp.reachable, world.dhcp.intent = False, None
    watch.look()
    watch.look()
    world.dhcp.reachable = True
    watch.look()
    assert kinds(world) == ["dhcp-down", "dhcp-up"]
    assert str(told(world)[0].subject) == "rack rack"
    assert world.dhcp.intent == wanted


def test_a_lost_part_is_reported_and_leases_of_the_other_part_are_read(
    world: LittleWorld, watch: DhcpWatch
) -> None:
    world.dhcp.trouble = "no DHCPv6"
    lease(world, FREE)
    watch.look()
    assert len(leased(world)) == 1
    world.dhcp.trouble = ""
    watch.look()
    assert kinds(world) == ["lease-given", "dhcp-down", "dhcp-up"]


def test_a_refusal_is_reported_once_with_the_servers_text_and_not_retried_at_every_check(
    world: LittleWorld, watch: DhcpWatch
) -> None:
    world.dhcp.faults = [DhcpRejected("pool is odd")]
    world.clock.time += PUBLISH_EVERY_S
    for _ in range(3):
        watch.look()
    assert "pool is odd" in told(world)[-1].message
    assert kinds(world) == ["dhcp-rejected"]
    lease(world, FREE)
    watch.look()
    assert len(leased(world)) == 1
    world.clock.time += PUBLISH_EVERY_S
    watch.look()
    assert kinds(world) == ["dhcp-rejected", "lease-given", "dhcp-up"]


def test_the_store_is_compared_with_what_is_served_on_a_timer(world: LittleWorld, watch: DhcpWatch) -> None:
    count = len(world.dhcp.history)
    watch.look()
    assert len(world.dhcp.history) == count
    world.clock.time += PUBLISH_EVERY_S
    watch.look()
    assert len(world.dhcp.history) == count + 1
