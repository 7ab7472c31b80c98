"""Work on several hosts at once: one after the other on each, stopped together, and undone to the end."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.errors.server import Cancelled
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.sagas import saga as module
from hostloom.sagas.saga import HOSTS_AT_ONCE, for_each_host
from hostloom.services import machines
from hostloom.services.machines import copies
from support.little_world import URIS, little_world


def a_run(*answers: bool) -> Any:
    """A run that is cancelled when its answers say so."""
    left = iter(answers)
    return SimpleNamespace(wants_cancel=lambda: next(left, False))


def test_results_are_in_the_order_of_the_work() -> None:
    work = {host: range(host) for host in range(1, 4)}
    assert for_each_host(a_run(), work, lambda host, items: (host, list(items))) == [
        (1, [0]),
        (2, [0, 1]),
        (3, [0, 1, 2]),
    ]


def test_hosts_wait_for_each_other_only_where_there_are_too_many() -> None:
    meet = threading.Barrier(HOSTS_AT_ONCE, timeout=10)

    def do(_: int, items: Iterator[int]) -> int:
        return sum(meet.wait() * 0 + each for each in items)

    assert for_each_host(a_run(), dict.fromkeys(range(HOSTS_AT_ONCE), (1,)), do) == [1] * HOSTS_AT_ONCE


def test_a_failure_stops_the_others_and_is_the_one_that_is_told() -> None:
    failed, done = threading.Event(), []

    def do(host: str, items: Iterator[int]) -> None:
        for each in items:
            if host == "bad":
                failed.set()
                raise HypervisorRejected(host, "define", "no")
            failed.wait(10)
            done.append(each)
            threading.Event().wait(0.05)

    with pytest.raises(HypervisorRejected, match="bad"):
        for_each_host(a_run(), {"good": range(1000), "bad": range(1)}, do)
    assert len(done) < 1000


def test_an_undo_goes_on_on_the_other_hosts() -> None:
    done = []

    def do(host: str, items: Iterator[int]) -> None:
        for each in items:
            if host == "bad":
                raise HypervisorRejected(host, "undefine", "no")
            done.append(each)

    with pytest.raises(HypervisorRejected, match="bad"):
        for_each_host(a_run(True), {"bad": range(3), "good": range(20)}, do, to_the_end=True)
    assert done == list(range(20))


def test_a_cancel_stops_before_the_next_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    begun, go_on = threading.Event(), threading.Event()
    done = []

    def do(_: str, items: Iterator[int]) -> None:
        for each in items:
            done.append(each)
            begun.set()
            go_on.wait(10)

    def wants_cancel() -> bool:
        begun.wait(10)
        # The thread goes on once the answer is known, and finds that it must stop.
        threading.Timer(0.2, go_on.set).start()
        return True

    with pytest.raises(Cancelled):
        for_each_host(SimpleNamespace(wants_cancel=wants_cancel), {"one": range(5)}, do)  # type: ignore[arg-type]
    assert done == [0]


def test_a_batch_that_is_cancelled_in_a_long_step_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    world = little_world(tmp_path)
    before = world.state()
    wanted = copies(ComposeRequest(interfaces="eth0:space=mgmt", hostname="web", host="kvm1"), 4)
    begun = machines.compose_batch(world.ports, LOCAL_ADMIN, ComposeBatch(wanted))
    started: list[str] = []

    def slow(method: str) -> None:
        if method == "start":
            started.append(method)
            with world.ports.store.begin() as uow:
                uow.operations.request_cancel(begun.id)
                uow.commit()
            threading.Event().wait(0.5)

    host = world.hypervisors.of("", URIS[0])
    host.before_call = slow
    ended = world.run()
    host.before_call = None
    assert (ended.state, len(started)) == ("cancelled", 1)
    assert world.state() == before
