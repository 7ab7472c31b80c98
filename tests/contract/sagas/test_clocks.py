"""Clocks that jump forwards or back: nothing waits longer than it would with a right clock."""

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.resources import PlanGone
from hostloom.model.operation import Claim, Operation, OperationState
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.model.stored_plan import PLAN_LIFETIME_S
from hostloom.reconcilers.host_refresher import HostRefresher
from hostloom.sagas.worker import LEASE_S, StandingLeases, Worker
from hostloom.services import machines, plans
from support.little_world import LittleWorld

HOUR_S = 3600.0
REQUEST = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web")


def claimed_by_a_dead_server(world: LittleWorld, ahead_s: float) -> Operation:
    """An operation whose owner died while its clock was ahead by so much."""
    machines.compose(world.ports, LOCAL_ADMIN, REQUEST)
    with world.ports.store.begin() as uow:
        held = uow.operations.claim("dead", world.clock.now() + ahead_s, LEASE_S)
        uow.commit()
    assert held is not None
    return held


class Seconds:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize("ahead_s", [0.0, 60.0, HOUR_S, 1000 * HOUR_S, -HOUR_S])
def test_an_operation_of_a_dead_server_does_not_wait_for_its_clock(
    world: LittleWorld, ahead_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = claimed_by_a_dead_server(world, ahead_s)
    seconds = Seconds()
    monkeypatch.setattr("hostloom.sagas.worker.time.monotonic", seconds)
    worker = Worker(world.ports, "alive", threads=0)
    if world.ports.store.is_private:
        worker.start()  # no other server can own it, so it is claimed immediately
        worker.stop()
        ended = Worker(world.ports, "alive", threads=0).run_one()
    else:
        if ahead_s >= 0:
            assert worker.run_one() is None
        seconds.time += LEASE_S
        world.clock.time += LEASE_S
        ended = worker.run_one()
    assert ended is not None
    assert (ended.id, ended.state, ended.fence) == (held.id, "succeeded", held.fence + 1)


def test_a_server_whose_clock_is_ahead_keeps_what_it_renews() -> None:
    seconds = Seconds()
    leases = StandingLeases(seconds)
    for renewal in range(20):
        seconds.time = renewal * 5.0
        assert leases.dead([Claim("op", 1, 5000.0 + renewal * 5.0)], ()) == []
    last = Claim("op", 1, 5095.0)
    seconds.time += LEASE_S - 0.1
    assert leases.dead([last], ()) == []
    seconds.time += 0.1
    assert leases.dead([last], ("op",)) == [], "its own operations are alive"
    assert leases.dead([last], ()) == [], "watched anew"
    seconds.time += LEASE_S
    assert leases.dead([last], ()) == [last]


def test_a_jump_forwards_takes_no_operation_from_ourselves(world: LittleWorld) -> None:
    """One thread runs it; another one finds its lease over."""
    claimed_by_a_dead_server(world, -HOUR_S)
    worker = Worker(world.ports, "alive", threads=0)
    others: list[Operation | None] = []

    def jump(_method: str) -> None:
        if not others:
            world.clock.time += HOUR_S
            others.append(worker.run_one())

    world.hypervisors.of("", "qemu+ssh://root@10.0.0.11/system").before_call = jump
    ended = worker.run_one()
    assert ended is not None
    assert ended.state is OperationState.SUCCEEDED
    assert others == [None]


@pytest.mark.parametrize("jump_s", [-HOUR_S, -1000 * HOUR_S, PLAN_LIFETIME_S])
def test_a_plan_is_over_when_a_clock_has_jumped(world: LittleWorld, jump_s: float) -> None:
    """Its age is unknown, and it would be valid for another hour."""
    made = plans.make(world.ports, LOCAL_ADMIN, ComposeBatch((REQUEST,)))
    assert made.stored is not None
    world.clock.time += jump_s
    with world.ports.store.begin() as uow, pytest.raises(PlanGone):
        plans.get(uow, LOCAL_ADMIN, world.clock.now(), made.stored.id)
    with world.ports.store.begin() as uow:
        assert list(plans.list_(uow, LOCAL_ADMIN, world.clock.now())) == []


def test_a_plan_of_a_server_whose_clock_is_a_little_ahead_is_valid(world: LittleWorld) -> None:
    made = plans.make(world.ports, LOCAL_ADMIN, ComposeBatch((REQUEST,)))
    assert made.stored is not None
    world.clock.time -= 30.0
    with world.ports.store.begin() as uow:
        assert plans.get(uow, LOCAL_ADMIN, world.clock.now(), made.stored.id)[0] == made.stored


def test_a_host_that_was_read_in_the_future_is_read_again(world: LittleWorld) -> None:
    world.clock.time -= HOUR_S
    with world.ports.store.begin() as uow:
        before = uow.hosts.list()[0].facts_at
    assert before is not None
    assert before > world.clock.now()
    HostRefresher(world.ports, 300.0).look()
    with world.ports.store.begin() as uow:
        assert uow.hosts.list()[0].facts_at == world.clock.now()
