"""Operations wait for a database that cannot be used, and go on when it is back."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.operation import Operation
from hostloom.model.request import ComposeRequest
from hostloom.sagas import worker as worker_module
from hostloom.sagas.worker import Worker
from hostloom.services import machines
from hostloom.store import engine as engine_module
from support.little_world import URIS, LittleWorld, little_world
from support.postgres import running_postgres

REQUEST = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_MS", 100)
    monkeypatch.setattr(worker_module, "DATABASE_PAUSE_S", 0.1)


def compose(world: LittleWorld) -> Operation:
    machines.compose(world.ports, LOCAL_ADMIN, REQUEST)
    ended = Worker(world.ports, "test", threads=0).run_one()
    assert ended is not None
    return ended


def once(call: Callable[[], None], method: str) -> Callable[[str], None]:
    """Call it at the first call of a method of the hypervisor."""
    waiting = [call]

    def before(name: str) -> None:
        if name == method and waiting:
            waiting.pop()()

    return before


@pytest.mark.parametrize("method", ["ensure_volume", "ensure_machine", "start"])
@pytest.mark.parametrize("fails", [False, True], ids=["forward", "unwinding"])
def test_a_locked_file_delays_an_operation(tmp_path: Path, method: str, fails: bool) -> None:
    world = little_world(tmp_path, hosts_there=1)
    empty = world.state()
    other = sqlite3.connect(tmp_path / "hostloom.db", isolation_level=None, check_same_thread=False)

    def lock() -> None:
        other.execute("BEGIN IMMEDIATE")
        # Longer than a writer waits: the statement fails, and so does the one that would record the failure.
        threading.Timer(0.5, other.execute, ("ROLLBACK",)).start()

    lock_once = once(lock, method)

    def before(name: str) -> None:
        lock_once(name)
        if fails and name == method:
            raise HypervisorRejected("kvm1", "go on", "no")

    world.hypervisors.of("", URIS[0]).before_call = before
    ended = compose(world)
    other.close()
    if fails:
        assert (ended.state, ended.error_code) == ("failed", "hypervisor-rejected")
        assert world.state() == empty
    else:
        assert ended.state == "succeeded", ended.error
        with world.ports.store.begin() as uow:
            assert [machine.hostname for machine in uow.machines.list()] == ["web"]


@pytest.mark.postgres
@pytest.mark.parametrize("method", ["ensure_volume", "start"])
def test_a_postgresql_server_that_restarts_delays_an_operation(tmp_path: Path, method: str) -> None:
    is_over = threading.Event()
    with running_postgres(own=True) as server, server.database() as url:
        world = little_world(tmp_path, hosts_there=1, database=url)

        def start_and_stay() -> None:
            time.sleep(0.5)
            server.start()
            is_over.wait(60)  # the server ends with the thread that started it

        starter = threading.Thread(target=start_and_stay)

        def restart() -> None:
            server.stop()
            starter.start()

        world.hypervisors.of("", URIS[0]).before_call = once(restart, method)
        ended = compose(world)
        assert ended.state == "succeeded", ended.error
        world.ports.store.close()
    is_over.set()
    starter.join()


def test_a_worker_that_stops_while_it_waits_leaves_the_operation_to_the_next(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=1)
    other = sqlite3.connect(tmp_path / "hostloom.db", isolation_level=None, check_same_thread=False)
    locked = threading.Event()

    def lock() -> None:
        other.execute("BEGIN IMMEDIATE")
        locked.set()

    world.hypervisors.of("", URIS[0]).before_call = once(lock, "ensure_volume")
    begun = machines.compose(world.ports, LOCAL_ADMIN, REQUEST)
    first = Worker(world.ports, "first", threads=1)
    first.start()
    assert locked.wait(20)
    first.stop()
    other.execute("ROLLBACK")
    other.close()
    world.clock.time += worker_module.LEASE_S + 1
    ended = Worker(world.ports, "second", threads=0).run_one()
    assert ended is not None
    assert (ended.id, ended.state, ended.owner) == (begun.id, "succeeded", "second")
