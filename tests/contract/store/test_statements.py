"""How many statements an action takes: few, and not more when there is more."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_interface

from sqlalchemy import Engine

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import HostId, InterfaceId, SystemId
from hostloom.model.machine import MachineState
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.operation import Operation, OperationState, StepRecord, StepState
from hostloom.ports.store import Reservation, Store, UnitOfWork
from hostloom.services import addresses
from hostloom.store.engine import DatabaseStore
from support.statements import counted_statements
from support.stored import EXPLANATION, StoredWorld, a_host, a_plan, store_world

STEPS = ("observe", "reserve", "volumes", "domain", "dhcp", "power", "verify", "commit")


def engine_of(store: Store) -> Engine:
    assert isinstance(store, DatabaseStore)
    return store.engine


def reserve(uow: UnitOfWork, world: StoredWorld, number: int, nics: int = 2) -> None:
    uow.reserve(
        [Reservation(a_plan(world, number, revision=uow.snapshot().revision, nics=nics), EXPLANATION)]
    )


def count_lists(store: Store) -> tuple[int, ...]:
    counts = []
    for name in ("machines", "nodes", "hosts", "operations", "subnets", "vlans"):
        with store.begin() as uow, counted_statements(engine_of(store)) as seen:
            getattr(uow, name).list()
        counts.append(len(seen))
    with store.begin() as uow, counted_statements(engine_of(store)) as seen:
        uow.snapshot()
    return (*counts, len(seen))


def test_lists_take_the_same_statements_however_long_they_are(store: Store) -> None:
    world = store_world(store)
    counts = []
    for first, last in ((0, 1), (1, 40)):
        with store.begin() as uow:
            for number in range(first, last):
                reserve(uow, world, number)
                nic = NodeInterface(InterfaceId(0), "eth0", InterfaceKind.PHYSICAL)
                nic = replace(nic, addresses=(ip_interface("192.0.2.1/24"),))
                uow.nodes.add(Node(SystemId(f"n{number:05d}"), f"node{number}", NodeKind.DEVICE, (nic,)))
                uow.hosts.add(a_host(f"more{number}"))
                uow.operations.add(an_operation(number))
            uow.commit()
        counts.append(count_lists(store))
    assert counts[0] == counts[1]
    assert max(counts[0][:-1]) <= 3


def an_operation(number: int) -> Operation:
    steps = tuple(StepRecord(name) for name in STEPS)
    return Operation(f"op-{number}", "compose", OperationState.PENDING, "machine vm", {}, steps)


def compose(store: Store, world: StoredWorld, number: int, nics: int) -> list[str]:
    """What a compose writes: operation, reservation, each step's record, and the machine being ready."""
    with counted_statements(engine_of(store)) as seen:
        with store.begin() as uow:
            uow.operations.add(an_operation(number))
            uow.commit()
        with store.begin() as uow:
            claimed = uow.operations.claim("me", 100.0, 20.0)
            uow.commit()
        assert claimed is not None
        with store.begin() as uow:
            reserve(uow, world, number, nics)
            uow.operations.save_step(claimed, StepRecord("reserve", StepState.DONE))
            uow.commit()
        for name in STEPS[2:-1]:
            with store.begin() as uow:
                uow.operations.save_step(claimed, StepRecord(name, StepState.DONE))
                uow.commit()
        with store.begin() as uow:
            machine = uow.machines.get(SystemId(f"m{number:05d}"))
            uow.machines.update(replace(machine, state=MachineState.READY))
            uow.operations.save_step(claimed, StepRecord("commit", StepState.DONE))
            uow.operations.save(replace(claimed, state=OperationState.SUCCEEDED))
            uow.commit()
    return seen


def test_a_compose_is_recorded_in_few_statements_whatever_its_size(store: Store) -> None:
    world = store_world(store)
    compose(store, world, 0, 1)
    one, three = compose(store, world, 1, 1), compose(store, world, 2, 3)
    assert len(one) == len(three)
    with store.begin() as uow:
        for number in range(30):
            uow.hosts.add(a_host(f"more{number}"))
        uow.commit()
        uow.snapshot()
    assert len(compose(store, world, 3, 1)) == len(one)
    assert len(one) <= 20, "\n".join(one)


def test_a_snapshot_of_an_unchanged_world_takes_one_statement(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        uow.snapshot()
        with counted_statements(engine_of(store)) as seen:
            assert uow.snapshot().host_by_id[HostId(world.host.id)].host == world.host
        assert len(seen) == 1


def count_address_calls(store: Store, world: StoredWorld, last: int) -> tuple[int, ...]:
    """Statements to set an address aside, to set the next one aside, to see who has one, to give it back."""
    subnet = world.subnet
    ip = subnet.cidr.network_address + last
    calls = (
        lambda uow: addresses.reserve(uow, LOCAL_ADMIN, ip),
        lambda uow: addresses.reserve_next(uow, LOCAL_ADMIN, str(subnet.cidr)),
        lambda uow: addresses.get(uow, LOCAL_ADMIN, ip),
        lambda uow: addresses.release(uow, LOCAL_ADMIN, ip),
    )
    counts = []
    for call in calls:
        with store.begin() as uow, counted_statements(engine_of(store)) as seen:
            call(uow)
            uow.commit()
        counts.append(len(seen))
    return tuple(counts)


def test_setting_an_address_aside_takes_the_same_statements_whatever_is_held(store: Store) -> None:
    world = store_world(store)
    counts = []
    for first, last in ((20, 22), (22, 120)):
        with store.begin() as uow:
            for number in range(first, last):
                ip = IPv4Address(int(world.subnet.cidr.network_address) + number)
                uow.addresses.hold(HeldAddress(ip, AddressKind.RESERVED, world.subnet.id))
            uow.commit()
            uow.snapshot()
        counts.append(count_address_calls(store, world, 200))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 16
