"""Reserving: everything or nothing, and never the same thing twice, however many ask at once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from typing import Any, Never

import pytest

from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.errors.refusals import Refused
from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound
from hostloom.model.errors.stale import Stale, StaleGeneration, WorldChanged
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Correlation, CorrelationState, PlacedInterface, StoragePool
from hostloom.model.ids import InterfaceId, MacAddress, RangeId, SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState
from hostloom.model.network import AddressKind, HeldAddress, IPRange, RangeKind
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.plan import Plan
from hostloom.ports.store import Reservation, Store
from support.stored import EXPLANATION, GB, a_host, a_plan, macvtap, store_world


def reserve_now(store: Store, plan: Plan) -> Machine:
    """Reserve a plan as if it had just been decided."""
    with store.begin() as uow:
        machine = uow.reserve([Reservation(replace(plan, revision=uow.snapshot().revision), EXPLANATION)])[0]
        uow.commit()
        return machine


def test_a_reservation_is_a_machine_with_all_that_the_plan_names(store: Store) -> None:
    world = store_world(store)
    machine = reserve_now(store, a_plan(world, 1, nics=2))
    assert machine.state is MachineState.COMMISSIONING
    assert machine.origin is MachineOrigin.COMPOSED
    with store.begin() as uow:
        assert uow.machines.get(machine.system_id) == machine
        explanation = uow.machines.explanation(machine.system_id)
        assert explanation is not None
        assert explanation.chosen == "kvm1"
        node = uow.nodes.get(machine.system_id)
        assert (node.hostname, node.kind) == ("vm1", NodeKind.MACHINE)
        held = uow.addresses.list(world.subnet.id)
        assert [(str(each.ip), each.kind, each.system_id, each.interface_name) for each in held] == [
            ("10.0.0.12", AddressKind.AUTO, machine.system_id, "eth0"),
            ("10.0.0.13", AddressKind.AUTO, machine.system_id, "eth1"),
        ]
        (placed,) = uow.placed(world.host.id)
        assert placed.name == "vm1"
        assert placed.interfaces == (PlacedInterface(AttachKind.BRIDGE, "br0"),) * 2
        assert placed.reserved_bytes == {"default": 8 * GB}
        (state,) = uow.snapshot().hosts
        assert state.machines == (placed,)


def test_reserving_twice_is_reserving_once(store: Store) -> None:
    world = store_world(store)
    plan = a_plan(world, 1)
    assert reserve_now(store, plan) == reserve_now(store, plan)
    with store.begin() as uow:
        assert len(uow.machines.list()) == 1
        assert len(uow.addresses.list()) == 1


def test_release_leaves_nothing_and_may_be_repeated(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        before = uow.snapshot()
    machine = reserve_now(store, a_plan(world, 1, nics=2))
    for _ in range(2):
        with store.begin() as uow:
            uow.release([machine.system_id])
            uow.commit()
    with store.begin() as uow:
        assert replace(uow.snapshot(), revision=0) == replace(before, revision=0)
        with pytest.raises(NotFound):
            uow.machines.get(machine.system_id)
    reserve_now(store, a_plan(world, 1, nics=2))


def test_a_machine_that_is_a_host_is_not_released(store: Store) -> None:
    world = store_world(store)
    machine = reserve_now(store, a_plan(world, 1))
    with store.begin() as uow:
        match = Correlation(CorrelationState.CORRELATED, machine.system_id)
        uow.hosts.add(a_host("nested", correlation=match))
        with pytest.raises(InUse, match="host nested"):
            uow.release([machine.system_id])


def test_a_changed_host_is_stale(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        uow.hosts.update(replace(world.host, cores=32))
        uow.commit()
    with pytest.raises(StaleGeneration, match="host 'kvm1'"):
        reserve_now(store, a_plan(world, 1))


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"cores": 65}, "not-enough-cores"),
        ({"memory_mib": 65537}, "not-enough-memory"),
        ({"size_bytes": 1001 * GB}, "pool-full"),
    ],
)
def test_what_the_host_has_not_is_refused(store: Store, wanted: dict[str, Any], code: str) -> None:
    world = store_world(store)
    with pytest.raises(Refused) as refused:
        reserve_now(store, a_plan(world, 1, **wanted))
    assert refused.value.code == code
    with store.begin() as uow:
        assert uow.machines.list() == []


def test_sparse_disks_count_in_full_and_so_does_what_others_wrote(store: Store) -> None:
    full = StoragePool("default", "dir", 100 * GB, 30 * GB, is_default=True)
    world = store_world(store, a_host(storage_pools=(full,)))
    with pytest.raises(Refused, match="needs 31 GB, but there are 30 GB in default"):
        reserve_now(store, a_plan(world, 1, size_bytes=31 * GB))
    for number in range(3):
        reserve_now(store, a_plan(world, number, size_bytes=30 * GB))
    with pytest.raises(Refused, match="needs 11 GB, but there are 10 GB in default"):
        reserve_now(store, a_plan(world, 4, size_bytes=11 * GB))


def test_disks_of_adopted_machines_show_in_libvirts_figure_only(store: Store) -> None:
    world = store_world(store)
    disks = a_plan(world, 1, size_bytes=999 * GB).disks
    adopted = Machine(
        SystemId("adopt1"),
        "old",
        "u",
        MachineOrigin.ADOPTED,
        MachineState.DEPLOYED,
        world.host.id,
        "amd64",
        2,
        2048,
        disks=disks,
    )
    with store.begin() as uow:
        uow.machines.add(adopted)
        uow.commit()
        (placed,) = uow.placed(world.host.id)
    assert (placed.cores, placed.memory_mib, placed.reserved_bytes) == (2, 2048, {})


def test_over_commit_ratios_count(store: Store) -> None:
    world = store_world(store, a_host(cores=2, cpu_over_commit_ratio=2.0))
    reserve_now(store, a_plan(world, 1, cores=4))
    with pytest.raises(Refused):
        reserve_now(store, a_plan(world, 2, cores=1))


def test_names_and_macs_are_never_given_twice(store: Store) -> None:
    world = store_world(store)
    reserve_now(store, a_plan(world, 1))
    with pytest.raises(AlreadyExists, match="vm1"):
        reserve_now(store, a_plan(world, 2, name="vm1"))
    with pytest.raises(AlreadyExists, match="MAC address '52:54:00:00:01:00' belongs to 'vm1'"):
        reserve_now(store, a_plan(world, 2, mac="52:54:00:00:01:00"))
    with store.begin() as uow:
        uow.nodes.add(Node(SystemId("n00001"), "printer", NodeKind.DEVICE))
        uow.commit()
    with pytest.raises(AlreadyExists, match="printer"):
        reserve_now(store, a_plan(world, 2, name="printer"))


def test_an_address_in_use_is_refused(store: Store) -> None:
    world = store_world(store)
    reserve_now(store, a_plan(world, 1, ip="10.0.0.50"))
    nic = NodeInterface(
        InterfaceId(0), "eth0", InterfaceKind.PHYSICAL, addresses=(ip_interface("10.0.0.51/24"),)
    )
    with store.begin() as uow:
        uow.nodes.add(Node(SystemId("n00001"), "printer", NodeKind.DEVICE, (nic,)))
        uow.addresses.hold(
            HeldAddress(ip_address("10.0.0.52"), AddressKind.RESERVED, world.subnet.id, comment="vip")
        )
        uow.addresses.replace_leases(
            [HeldAddress(ip_address("10.0.0.53"), AddressKind.LEASE, world.subnet.id)]
        )
        uow.commit()
    for ip, holder in (("50", "vm1"), ("51", "printer"), ("52", "vip"), ("53", "set aside")):
        with pytest.raises(AlreadyExists, match=holder):
            reserve_now(store, a_plan(world, 2, ip=f"10.0.0.{ip}"))


def test_an_address_that_a_range_keeps_is_refused(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        for kind, start, end in ((RangeKind.DYNAMIC, 100, 199), (RangeKind.RESERVED, 200, 209)):
            ends = (ip_address(f"10.0.0.{start}"), ip_address(f"10.0.0.{end}"))
            uow.ranges.add(IPRange(RangeId(0), world.subnet.id, kind, *ends))
        uow.commit()
    for ip in ("10.0.0.100", "10.0.0.209"):
        with pytest.raises(Refused, match="not given to machines"):
            reserve_now(store, a_plan(world, 1, ip=ip))
    with store.begin() as uow:
        uow.subnets.update(replace(world.subnet, managed=False))
        uow.commit()
    reserve_now(store, a_plan(world, 1, ip="10.0.0.209"))
    for ip in ("10.0.0.100", "10.0.0.99"):
        with pytest.raises(Refused, match="not given to machines"):
            reserve_now(store, a_plan(world, 2, ip=ip))


def test_passthru_is_alone_on_its_parent(store: Store) -> None:
    world = store_world(store)
    reserve_now(store, a_plan(world, 1, attachment=macvtap(MacvlanMode.BRIDGE, "eth1")))
    with pytest.raises(Refused, match="eth1"):
        reserve_now(store, a_plan(world, 2, attachment=macvtap(MacvlanMode.PASSTHRU, "eth1")))
    reserve_now(store, a_plan(world, 2, attachment=macvtap(MacvlanMode.PASSTHRU, "eth2")))
    with pytest.raises(Refused, match="passthru"):
        reserve_now(store, a_plan(world, 3, attachment=macvtap(MacvlanMode.VEPA, "eth2")))
    reserve_now(store, a_plan(world, 3, attachment=macvtap(MacvlanMode.VEPA, "eth1")))


def test_what_a_parallel_request_took_is_stale_so_that_it_is_decided_again(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        before = uow.snapshot().revision
    reserve_now(store, a_plan(world, 1, ip="10.0.0.50", cores=64))
    for lost in (a_plan(world, 2, ip="10.0.0.50", revision=before), a_plan(world, 3, revision=before)):
        with store.begin() as uow, pytest.raises(WorldChanged, match="the world has changed"):
            uow.reserve([Reservation(lost, EXPLANATION)])


def race(store: Store, plans: list[Plan]) -> "tuple[list[Machine], list[Exception]]":
    """Reserve all plans at once, each decided on the world before any of them."""
    with store.begin() as uow:
        revision = uow.snapshot().revision
    start = threading.Barrier(len(plans))
    won: list[Machine] = []
    lost: list[Exception] = []

    def run(plan: Plan) -> None:
        start.wait()
        try:
            with store.begin() as uow:
                machine = uow.reserve([Reservation(replace(plan, revision=revision), EXPLANATION)])[0]
                uow.commit()
                won.append(machine)
        except (AlreadyExists, Refused, Stale) as error:
            lost.append(error)

    threads = [threading.Thread(target=run, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) + len(lost) == len(plans), "a thread died of something else"
    return won, lost


CONTESTED: dict[str, Callable] = {
    "address": lambda world, n: a_plan(world, n, ip="10.0.0.77"),
    "cores": lambda world, n: a_plan(world, n, cores=40),
    "memory": lambda world, n: a_plan(world, n, memory_mib=40000),
    "disk": lambda world, n: a_plan(world, n, size_bytes=600 * GB),
    "name": lambda world, n: a_plan(world, n, name="wanted"),
    "mac": lambda world, n: a_plan(world, n, mac="52:54:00:ff:ff:ff"),
    "parent": lambda world, n: a_plan(world, n, attachment=macvtap(MacvlanMode.PASSTHRU)),
}


@pytest.mark.parametrize("contested", CONTESTED)
def test_of_eight_that_want_the_last_one_exactly_one_gets_it(store: Store, contested: str) -> None:
    world = store_world(store)
    won, lost = race(store, [CONTESTED[contested](world, n) for n in range(8)])
    assert len(won) == 1
    assert len(lost) == 7
    with store.begin() as uow:
        assert uow.machines.list() == won
        assert [each.system_id for each in uow.addresses.list()] == [won[0].system_id]
        assert [each.hostname for each in uow.nodes.list()] == [won[0].hostname]


def test_eight_that_all_fit_all_get_theirs(store: Store) -> None:
    world = store_world(store)
    won, lost = race(store, [a_plan(world, n, cores=8) for n in range(8)])
    assert (len(won), lost) == (8, [])
    with store.begin() as uow:
        assert sum(each.cores for each in uow.placed(world.host.id)) == 64
        assert len(uow.snapshot().hosts[0].machines) == 8


def test_parallel_holds_of_one_address_have_one_winner(store: Store) -> None:
    world = store_world(store)
    start = threading.Barrier(8)
    won: list[HeldAddress] = []
    lost: list[AlreadyExists] = []

    def hold(number: int) -> None:
        start.wait()
        with store.begin() as uow:
            held = HeldAddress(
                ip_address("10.0.0.9"), AddressKind.RESERVED, world.subnet.id, comment=f"by {number}"
            )
            try:
                uow.addresses.hold(held)
            except AlreadyExists as error:
                lost.append(error)
                return
            uow.commit()
            won.append(held)

    threads = [threading.Thread(target=hold, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert f"set aside: {won[0].comment}" in str(lost[0])


def test_a_failure_in_the_middle_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash between two statements, the statements before it are rolled back."""
    world = store_world(store)
    with store.begin() as uow:
        before = uow.snapshot()

    def crash(*_: object) -> Never:
        raise KeyboardInterrupt

    monkeypatch.setattr("hostloom.store.node_rows.insert_nics", crash)
    with pytest.raises(KeyboardInterrupt):
        reserve_now(store, a_plan(world, 1))
    monkeypatch.undo()
    with store.begin() as uow:
        assert uow.snapshot() == before
        assert uow.nodes.list() == []
        assert uow.addresses.list() == []
    assert reserve_now(store, a_plan(world, 1)).interfaces[0].mac == MacAddress("52:54:00:00:01:00")


def test_changes_of_a_machine_and_of_the_world_never_wait_for_each_other_in_a_ring(store: Store) -> None:
    world = store_world(store)
    machine = reserve_now(store, a_plan(world, 1))
    updated, released = threading.Event(), threading.Event()

    def release() -> None:
        updated.wait()
        with store.begin() as uow:
            uow.release([machine.system_id])
            uow.commit()
        released.set()

    thread = threading.Thread(target=release)
    thread.start()
    with store.begin() as uow:
        uow.machines.update(replace(machine, state=MachineState.READY))
        updated.set()
        assert not released.wait(0.3), "it should wait for the transaction that has not ended"
        uow.hosts.update(replace(world.host, cores=1))
        uow.commit()
    thread.join(10)
    assert released.is_set()


def test_a_snapshot_in_a_transaction_that_wrote_something_else_is_whole(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        uow.events.add(Event(EventKind.IMPORTED, EventSubject(EventSubjectKind.WORLD), "imported", 1.0))
        assert uow.snapshot().hosts[0].host == world.host
        assert len(uow.events.list()) == 1
        uow.commit()
    with store.begin() as uow:
        assert len(uow.events.list()) == 1
