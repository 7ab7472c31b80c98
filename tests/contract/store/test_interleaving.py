"""PostgreSQL: a statement that had to wait for another transaction writes what it would have written alone.

Every case forces the interleaving: one transaction holds a lock, the other is seen waiting for it.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import ip_address
from typing import TypeVar

import pytest
from sqlalchemy import text

from hostloom.model.access import User
from hostloom.model.annotation import Annotated
from hostloom.model.commissioning import BootToken, Commissioning, FoundHardware
from hostloom.model.deployment import Deployment, ImageCopy
from hostloom.model.dhcp_exchange import VlanProbe
from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.errors.server import LeaseLost
from hostloom.model.ids import MacAddress, SystemId, UserId, VlanId
from hostloom.model.machine import MachineState
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.operation import Operation, OperationState, StepRecord, StepState
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.ports.store import Reservation, UnitOfWork
from hostloom.store.engine import DatabaseStore, open_store
from support.postgres import PostgresServer
from support.stored import EXPLANATION, StoredWorld, a_plan, store_world

pytestmark = pytest.mark.postgres

DONE = StepRecord("dhcp", StepState.DONE, {"ip": "10.0.0.1"}, started_at=1.0, finished_at=2.0)
RUNNING = StepRecord("power", StepState.RUNNING, started_at=2.0)
WAIT_S = 20.0
T = TypeVar("T")


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[DatabaseStore]:
    with postgres.database() as url:
        store = open_store(url)
        yield store
        store.close()


@pytest.fixture
def claimed(store: DatabaseStore) -> Operation:
    """An operation with two steps, claimed by the one runner."""
    steps = (StepRecord("dhcp"), StepRecord("power"))
    with store.begin() as uow:
        uow.operations.add(
            Operation("op", "compose", OperationState.PENDING, "machine vm1", {}, steps, created_at=1.0)
        )
        found = uow.operations.claim("a", 100.0, 20.0)
        uow.commit()
    assert found is not None
    return found


def wait_for_a_waiter(store: DatabaseStore) -> None:
    """Return when a session of this database waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + WAIT_S
    with store.engine.connect() as connection:
        while not connection.execute(waiting).scalar_one():
            connection.rollback()
            assert time.monotonic() < until, "no session waits"
            time.sleep(0.02)


def interleave(
    store: DatabaseStore, first: Callable[[UnitOfWork], object], second: Callable[[UnitOfWork], T]
) -> T:
    """Do `first`, have `second` wait for its end in another transaction, and return what `second` returns."""

    def run() -> T:
        with store.begin() as uow:
            answer = second(uow)
            uow.commit()
            return answer

    with ThreadPoolExecutor(1) as pool, store.begin() as uow:
        first(uow)
        later: Future[T] = pool.submit(run)
        wait_for_a_waiter(store)
        uow.commit()
        return later.result(WAIT_S)


def steps_of(store: DatabaseStore) -> tuple[StepRecord, ...]:
    with store.begin() as uow:
        return uow.operations.get("op").steps


def test_steps_are_written_after_a_renewal_of_the_lease(store: DatabaseStore, claimed: Operation) -> None:
    is_cancelled = interleave(
        store,
        lambda uow: uow.operations.renew(claimed, 500.0),
        lambda uow: uow.operations.save_step(claimed, DONE, RUNNING),
    )
    assert is_cancelled is False
    assert steps_of(store) == (DONE, RUNNING)


def test_steps_that_have_rows_are_written_again(store: DatabaseStore, claimed: Operation) -> None:
    with store.begin() as uow:
        uow.operations.save_step(claimed, StepRecord("dhcp", StepState.RUNNING), StepRecord("power"))
        uow.commit()
    interleave(
        store,
        lambda uow: uow.operations.renew(claimed, 500.0),
        lambda uow: uow.operations.save_step(claimed, DONE, RUNNING),
    )
    assert steps_of(store) == (DONE, RUNNING)


def test_a_cancel_that_the_statement_waited_for_is_seen(store: DatabaseStore, claimed: Operation) -> None:
    """The answer comes from the locked row, not from the statement's older snapshot."""
    is_cancelled = interleave(
        store,
        lambda uow: uow.operations.request_cancel("op"),
        lambda uow: uow.operations.save_step(claimed, DONE, RUNNING),
    )
    assert is_cancelled is True
    assert steps_of(store) == (DONE, RUNNING)


def test_a_take_over_that_the_statement_waited_for_fences_it_off(
    store: DatabaseStore, claimed: Operation
) -> None:
    with pytest.raises(LeaseLost):
        interleave(
            store,
            lambda uow: uow.operations.claim("b", 1000.0, 20.0),
            lambda uow: uow.operations.save_step(claimed, DONE, RUNNING),
        )
    assert steps_of(store) == (StepRecord("dhcp"), StepRecord("power"))


def test_state_and_lease_are_written_after_a_cancel(store: DatabaseStore, claimed: Operation) -> None:
    interleave(
        store,
        lambda uow: uow.operations.request_cancel("op"),
        lambda uow: uow.operations.renew(claimed, 700.0),
    )
    with store.begin() as uow:
        found = uow.operations.get("op")
    assert (found.cancel_requested, found.lease_until) == (True, 700.0)


@pytest.fixture
def world(store: DatabaseStore) -> StoredWorld:
    """A host with two machines that are being composed."""
    world = store_world(store)
    with store.begin() as uow:
        for number in (1, 2):
            plan = a_plan(world, number, revision=uow.snapshot().revision)
            uow.reserve([Reservation(plan, EXPLANATION)])
        uow.commit()
    return world


KEYS = [SystemId("m00001"), SystemId("m00002")]


@pytest.mark.parametrize("to", [None, MachineState.DEPLOYED])
def test_a_machine_that_comes_into_the_state_meanwhile_is_moved(
    store: DatabaseStore, world: StoredWorld, to: MachineState | None
) -> None:
    with store.begin() as uow:
        uow.machines.move(KEYS[1:], MachineState.COMMISSIONING, state=MachineState.READY)
        uow.machines.move(KEYS[:1], MachineState.COMMISSIONING, state=MachineState.READY)
        uow.machines.move(KEYS[:1], MachineState.READY, state=MachineState.COMMISSIONING)
        uow.commit()
    interleave(
        store,
        lambda uow: uow.machines.move(KEYS[:1], MachineState.COMMISSIONING, state=MachineState.READY),
        lambda uow: uow.machines.move(KEYS, MachineState.READY, state=to, dhcp_published=True),
    )
    with store.begin() as uow:
        machines = [uow.machines.get(key) for key in KEYS]
    assert {(machine.state, machine.dhcp_published) for machine in machines} == {
        (to or MachineState.READY, True)
    }


def test_a_machine_that_leaves_the_state_meanwhile_is_refused(
    store: DatabaseStore, world: StoredWorld
) -> None:
    with pytest.raises(WrongState, match="is ready; it must be commissioning"):
        interleave(
            store,
            lambda uow: uow.machines.move(KEYS[:1], MachineState.COMMISSIONING, state=MachineState.READY),
            lambda uow: uow.machines.move(KEYS, MachineState.COMMISSIONING, state=MachineState.DEPLOYED),
        )


def test_two_servers_write_the_same_leases(store: DatabaseStore, world: StoredWorld) -> None:
    lease = HeldAddress(ip_address("10.0.0.77"), AddressKind.LEASE, world.subnet.id, comment="a guest")
    interleave(
        store,
        lambda uow: uow.addresses.replace_leases([lease]),
        lambda uow: uow.addresses.replace_leases([lease]),
    )
    with store.begin() as uow:
        leases = [held for held in uow.addresses.list() if held.kind is AddressKind.LEASE]
    assert leases == [lease]


@pytest.mark.parametrize("is_known", [False, True])
def test_two_servers_record_a_probe_of_the_same_vlan(
    store: DatabaseStore, world: StoredWorld, is_known: bool
) -> None:
    probes = [VlanProbe(world.vlan.id, at, "here", True) for at in (1.0, 2.0, 3.0)]
    if is_known:
        with store.begin() as uow:
            uow.vlan_probes.record(probes[0], [])
            uow.commit()
    interleave(
        store,
        lambda uow: uow.vlan_probes.record(probes[1], []),
        lambda uow: uow.vlan_probes.record(probes[2], []),
    )
    with store.begin() as uow:
        assert [*uow.vlan_probes.list()] == [probes[2]]


def test_two_requests_write_the_first_notes_of_a_thing(store: DatabaseStore, world: StoredWorld) -> None:
    interleave(
        store,
        lambda uow: uow.annotations.put(Annotated.SUBNET, world.subnet.id, {"by": "first"}),
        lambda uow: uow.annotations.put(Annotated.SUBNET, world.subnet.id, {"by": "second"}),
    )
    with store.begin() as uow:
        assert uow.annotations.of(Annotated.SUBNET) == {world.subnet.id: {"by": "second"}}


def test_a_nic_asks_two_servers_for_its_boot_script(store: DatabaseStore) -> None:
    """Only the last token counts, as if they had come one after the other."""
    mac = MacAddress.parse("52:54:00:00:00:01")
    first, second = (BootToken(letter * 64, mac, None, 1000.0) for letter in "ab")
    interleave(
        store,
        lambda uow: uow.commissionings.permit(first, 1.0),
        lambda uow: uow.commissionings.permit(second, 1.0),
    )
    with store.begin() as uow:
        assert uow.commissionings.spend(first.secret_sha256, 2.0) is None
        assert uow.commissionings.spend(second.secret_sha256, 2.0) == second


def test_two_servers_record_what_a_machine_reports(store: DatabaseStore, world: StoredWorld) -> None:
    found = [Commissioning(KEYS[0], at, FoundHardware(2, 1024, "amd64", "bios")) for at in (1.0, 2.0)]
    interleave(
        store,
        lambda uow: uow.commissionings.put(found[0]),
        lambda uow: uow.commissionings.put(found[1]),
    )
    with store.begin() as uow:
        assert uow.commissionings.of(KEYS) == {KEYS[0]: found[1]}


@pytest.mark.parametrize("kind", ["power settings", "deployment", "image copy", "password"])
def test_two_requests_write_the_first_record_of_a_kind(
    store: DatabaseStore, world: StoredWorld, kind: str
) -> None:
    """The second one counts, as if they had come one after the other."""
    user_id = UserId(1)
    with store.begin() as uow:
        uow.users.add(User(user_id, "ann"))
        uow.commit()

    def put(uow: UnitOfWork, text: str) -> None:
        if kind == "power settings":
            uow.power_settings.put(PowerSettings(KEYS[0], PowerKind.IPMI, text))
        elif kind == "deployment":
            uow.deployments.put(Deployment(KEYS[0], text, "a" * 64, 1.0))
        elif kind == "image copy":
            uow.image_copies.put(ImageCopy(world.host.id, "default", "a" * 64, text))
        else:
            uow.passwords.put(user_id, text)

    interleave(store, lambda uow: put(uow, "first"), lambda uow: put(uow, "second"))
    with store.begin() as uow:
        texts = [
            *(settings.address for settings in uow.power_settings.of().values()),
            *(deployment.image for deployment in uow.deployments.with_image("a" * 64)),
            *(copy.volume for copy in uow.image_copies.of_image("a" * 64)),
            *filter(None, [uow.passwords.of(user_id)]),
        ]
    assert texts == ["second"]


def test_a_vlan_is_deleted_while_it_is_probed(store: DatabaseStore, world: StoredWorld) -> None:
    with pytest.raises(NotFound, match="VLAN 999"), store.begin() as uow:
        uow.vlan_probes.record(VlanProbe(VlanId(999), 1.0, "here", True), [])
