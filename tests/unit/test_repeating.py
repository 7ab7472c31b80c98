"""What is done again and again goes on after an error, and ends when told."""

import threading

import pytest

from hostloom.server.periodic import PeriodicTask


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

    repeating = PeriodicTask("test", call, 0.001)
    repeating.start()
    assert enough.wait(5)
    assert is_running("test")
    repeating.stop()
    assert "once" in caplog.text
    assert not is_running("test")  # so nothing is left that could call once more


def test_a_long_pause_does_not_delay_its_end() -> None:
    begun = threading.Event()
    repeating = PeriodicTask("test", begun.set, 3600)
    repeating.start()
    assert begun.wait(5)
    repeating.stop()
    assert not is_running("test")
