"""Addresses that a device on the wire has: marked as taken, and the same compose takes the next ones."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.resources import InUse
from hostloom.model.errors.stale import PlanStale
from hostloom.model.network import ON_WIRE_LASTS_S, Address, AddressKind, HeldAddress
from hostloom.model.operation import Operation, OperationState
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.sagas import taken_addresses
from hostloom.sagas.compose import COMPOSE
from hostloom.sagas.taken_addresses import forget_old_marks
from hostloom.services import addresses, machines, plans
from support.fake_wire import FakeWire
from support.little_world import URIS, LittleWorld
from support.saga_proofs import Crash, Proof
from unit.sagas.conftest import STRANGER

EVIDENCE = f"{STRANGER} answered beside eth0 of web on kvm1 at 2027-01-15T08:00:00Z"
OF_HOSTS = {ip_address("10.0.0.11"), ip_address("10.0.0.12")}
REQUEST = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web", host="kvm1")


def occupy(wire: FakeWire, ips: Iterable[Address]) -> None:
    wire.segment(URIS[0], "br0").stations.update(dict.fromkeys(ips, (STRANGER,)))


def after(ip: Address, count: int) -> list[Address]:
    return [ip + number for number in range(count)]


def compose(world: LittleWorld, request: ComposeRequest = REQUEST) -> Operation:
    machines.compose(world.ports, LOCAL_ADMIN, request)
    return world.run()


def first_free(world: LittleWorld) -> Address:
    """The addresses of a compose without other devices on the wire."""
    request = replace(REQUEST, hostname="nobody")
    planned = plans.make(world.ports, LOCAL_ADMIN, ComposeBatch((request,)))
    return planned.decision.plans[0].interfaces[0].ips[0]


def addresses_of(world: LittleWorld, name: str) -> tuple[Address, ...]:
    with world.ports.store.begin() as uow:
        machine = uow.machines.find(name)
        assert machine is not None
        return machine.interfaces[0].ips


def marks(world: LittleWorld) -> list[HeldAddress]:
    with world.ports.store.begin() as uow:
        return addresses.list_(uow, LOCAL_ADMIN, kind=AddressKind.ON_WIRE)


def test_the_same_compose_goes_on_with_the_next_address(world: LittleWorld, wire: FakeWire) -> None:
    first = first_free(world)
    occupy(wire, [first])
    assert compose(world).state is OperationState.SUCCEEDED
    assert addresses_of(world, "web") == (first + 1,)
    (mark,) = marks(world)
    assert mark.ip == first
    assert mark.comment == EVIDENCE
    assert mark.until == world.clock.time + ON_WIRE_LASTS_S
    with world.ports.store.begin() as uow:
        told = [event.message for event in uow.events.list() if event.kind == "address-on-wire"]
    assert told == [f"in use: {EVIDENCE}"]


def test_the_next_compose_does_not_try_it_again(world: LittleWorld, wire: FakeWire) -> None:
    first = first_free(world)
    occupy(wire, [first])
    compose(world)
    wire.asked.clear()
    assert compose(world, replace(REQUEST, hostname="db")).state is OperationState.SUCCEEDED
    assert addresses_of(world, "db") == (first + 2,)
    assert len(wire.asked) == 1


@pytest.mark.parametrize("count", [2, 10, 60])
def test_many_foreign_devices_do_not_stop_a_subnet(world: LittleWorld, wire: FakeWire, count: int) -> None:
    first = first_free(world)
    occupy(wire, after(first, count))
    assert compose(world).state is OperationState.SUCCEEDED
    assert addresses_of(world, "web") == (first + count,)
    assert [mark.ip for mark in marks(world)] == [ip for ip in after(first, count) if ip not in OF_HOSTS]
    assert len(wire.asked) <= 8


def test_a_batch_goes_on_too(world: LittleWorld, wire: FakeWire) -> None:
    first = first_free(world)
    occupy(wire, [first, first + 2])
    batch = tuple(replace(REQUEST, hostname=f"web-{number}") for number in range(3))
    machines.compose_batch(world.ports, LOCAL_ADMIN, ComposeBatch(batch))
    assert world.run().state is OperationState.SUCCEEDED
    assert [addresses_of(world, f"web-{number}") for number in range(3)] == [
        (first + 1,),
        (first + 3,),
        (first + 4,),
    ]


def test_a_requested_address_is_refused_and_not_replaced(world: LittleWorld, wire: FakeWire) -> None:
    wanted = first_free(world) + 20
    occupy(wire, [wanted])
    request = replace(REQUEST, interfaces=f"eth0:space=mgmt,ip={wanted}")
    operation = compose(world, request)
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "address-on-wire")
    assert marks(world) == []


def test_a_subnet_full_of_foreign_devices_is_refused_as_full(world: LittleWorld, wire: FakeWire) -> None:
    first = first_free(world)
    assert isinstance(first, IPv4Address)
    occupy(wire, after(first, 256 - (int(first) & 255)))
    operation = compose(world)
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "subnet-full")
    with world.ports.store.begin() as uow:
        assert uow.machines.find("web") is None


def test_more_than_the_rounds_can_pass_is_told(
    world: LittleWorld, wire: FakeWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken_addresses, "ROUNDS", 2)
    first = first_free(world)
    occupy(wire, after(first, 20))
    operation = compose(world)
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "address-on-wire")
    assert compose(world, replace(REQUEST, hostname="later")).error_code == "address-on-wire"
    assert len(marks(world)) > 4


def test_a_kept_plan_is_not_changed_but_refused(world: LittleWorld, wire: FakeWire) -> None:
    stored, content = plans.make_or_refuse(world.ports, LOCAL_ADMIN, ComposeBatch((REQUEST,)))
    (planned,) = content.plans[0].interfaces[0].ips
    occupy(wire, [planned])
    plans.compose(world.ports, LOCAL_ADMIN, stored.id)
    operation = world.run()
    assert (operation.state, operation.error_code) == (OperationState.FAILED, PlanStale.code)
    assert [mark.ip for mark in marks(world)] == [planned]


def test_a_process_that_dies_after_the_mark_goes_on(
    world: LittleWorld, wire: FakeWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = first_free(world)
    occupy(wire, [first])
    machines.compose(world.ports, LOCAL_ADMIN, REQUEST)
    proof = Proof(world, COMPOSE, lambda _: None)  # type: ignore[arg-type, return-value]
    with monkeypatch.context() as patched:
        patched.setattr(taken_addresses, "_reserve_again", dying)
        with pytest.raises(Crash):
            proof.run(COMPOSE)
    assert [mark.ip for mark in marks(world)] == [first]
    world.clock.time += 60
    assert world.run().state is OperationState.SUCCEEDED
    assert addresses_of(world, "web") == (first + 1,)


def dying(_: Any) -> None:
    raise Crash


def test_a_mark_ages_out(world: LittleWorld, wire: FakeWire) -> None:
    first = first_free(world)
    occupy(wire, [first])
    compose(world)
    forget_old_marks(world.ports)
    assert len(marks(world)) == 1
    world.clock.time += ON_WIRE_LASTS_S + 1
    forget_old_marks(world.ports)
    assert marks(world) == []
    assert first_free(world) == first


def test_a_mark_is_cleared_by_command_and_reserving_replaces_it(world: LittleWorld, wire: FakeWire) -> None:
    first = first_free(world)
    occupy(wire, [first])
    compose(world)
    with world.ports.store.begin() as uow:
        addresses.reserve(uow, LOCAL_ADMIN, first, comment="printer")
        uow.commit()
    assert marks(world) == []
    with world.ports.store.begin() as uow:
        addresses.release(uow, LOCAL_ADMIN, first)
        uow.commit()
    assert first_free(world) == first
    compose(world, replace(REQUEST, hostname="db"))
    assert [mark.ip for mark in marks(world)] == [first]
    with world.ports.store.begin() as uow:
        addresses.release(uow, LOCAL_ADMIN, first)
        uow.commit()
    assert marks(world) == []
    with world.ports.store.begin() as uow, pytest.raises(InUse):
        addresses.release(uow, LOCAL_ADMIN, addresses_of(world, "web")[0])
