"""A periodic task goes on after an error, reports how its last run went, and ends when it is stopped."""

import threading
from collections.abc import Callable

import pytest

from hostloom.model.errors.server import DatabaseTrouble, DatabaseUnavailable
from hostloom.model.reconciler import Reconciler
from hostloom.server.periodic import PeriodicTask, Reports


def is_running(name: str) -> bool:
    return name in {thread.name for thread in threading.enumerate()}


def test_an_error_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    enough = threading.Event()

    def call() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("once")
        enough.set()

    task = PeriodicTask("test", call, 0.001, Reports())
    task.start()
    assert enough.wait(5)
    assert is_running("test")
    task.stop()
    assert "once" in caplog.text
    assert not is_running("test")  # so nothing is left that could call once more


def test_a_long_pause_does_not_delay_its_end() -> None:
    begun = threading.Event()
    task = PeriodicTask("test", begun.set, 3600, Reports())
    task.start()
    assert begun.wait(5)
    task.stop()
    assert not is_running("test")


def run_once(call: Callable[[], None]) -> Reconciler:
    """The report of a task after its first run."""
    started_again = threading.Event()
    calls: list[int] = []

    def count() -> None:
        calls.append(1)
        if len(calls) > 1:  # the first run has been reported
            started_again.set()
        call()

    reports = Reports()
    task = PeriodicTask("test", count, 0.001, reports)
    task.start()
    assert started_again.wait(5)
    (report,) = reports.all()
    task.stop()
    assert reports.all() == []
    return report


def test_a_run_that_succeeds_is_reported() -> None:
    report = run_once(lambda: None)
    assert report.failures == 0
    assert report.error == ""
    assert report.started_at is not None
    assert report.duration_s is not None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DatabaseUnavailable(DatabaseTrouble.FULL), "the database cannot be used"),
        (RuntimeError("a secret"), "RuntimeError (see the server's log)"),
    ],
)
def test_a_run_that_fails_is_reported_without_its_secrets(error: Exception, text: str) -> None:
    def call() -> None:
        raise error

    report = run_once(call)
    assert report.failures == report.runs > 0
    assert text in report.error
    assert "a secret" not in report.error
