"""The worker's threads end together."""

import threading
import time
from pathlib import Path

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.operation import OperationState
from hostloom.sagas.worker import Worker
from hostloom.services import hosts
from support.little_world import URIS, little_world


def test_threads_that_hang_share_one_deadline(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=1)
    hung, release = threading.Semaphore(0), threading.Event()

    def hang(_method: str) -> None:
        hung.release()
        release.wait(20)

    worker = Worker(world.ports, "test", threads=6)
    try:
        world.hypervisors.of("", URIS[0]).before_call = hang
        for _ in range(6):
            hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
        worker.start()
        for _ in range(6):
            assert hung.acquire(timeout=10)
        began = time.monotonic()
        worker.stop(timeout_s=1.0)
        assert time.monotonic() - began < 4, "six times as long one after the other"
    finally:
        release.set()
        worker.stop()


def test_what_a_stopping_server_leaves_is_free_at_once(tmp_path: Path) -> None:
    """Another server goes on with the next step, without a wait for the end of the lease."""
    world = little_world(tmp_path, hosts_there=1)
    hypervisor = world.hypervisors.of("", URIS[0])
    begun, go_on = threading.Event(), threading.Event()

    def hang(_method: str) -> None:
        begun.set()
        go_on.wait(20)

    first = Worker(world.ports, "first", threads=1)
    hypervisor.before_call = hang
    operation = hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
    first.start()
    assert begun.wait(10)
    first.stop(timeout_s=0.0)
    with world.ports.store.begin() as uow:
        held = uow.operations.get(operation.id)
        assert held.lease_until > world.clock.now(), "its step still runs"
    go_on.set()
    first.stop()
    with world.ports.store.begin() as uow:
        left = uow.operations.get(operation.id)
    assert (left.state, left.owner, left.lease_until) == (OperationState.RUNNING, "", 0.0)
    calls = len(hypervisor.calls)
    done = Worker(world.ports, "second", threads=1).run_one()
    assert done is not None
    assert done.state is OperationState.SUCCEEDED
    assert len(hypervisor.calls) == calls, "the host is not read a second time"
