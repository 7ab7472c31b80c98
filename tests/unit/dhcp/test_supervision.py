"""A program that is kept running."""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hostloom.dhcp.supervision import RestartPolicy, Supervised
from support.waiting import wait_until

QUICK = RestartPolicy(first_s=0.01, longest_s=0.04, well_after_s=0.5)


@contextmanager
def supervised(
    script: str, prepare: Callable[[bool], None] = lambda _: None, patience: RestartPolicy = QUICK
) -> Iterator[Supervised]:
    program = Supervised("it", ["sh", "-c", script], prepare, patience)
    program.start()
    try:
        yield program
    finally:
        program.stop()
    assert program.pid is None


def test_it_is_started_again_when_it_is_killed() -> None:
    with supervised("exec sleep 60") as program:
        wait_until(lambda: program.pid, "it runs", every_s=0.01)
        first = program.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: program.pid not in (None, first), "it runs again", every_s=0.01)
        assert program.trouble == ""


def test_what_it_said_last_is_kept() -> None:
    with supervised("echo first; echo the port is taken; exit 3", patience=RestartPolicy(60)) as program:
        wait_until(lambda: program.trouble, "its trouble is reported", every_s=0.01)
        said = "first the port is taken (exit status 3)"
        assert program.trouble == f"it does not run (ends so far: 1); it said last: {said}"


def test_a_program_that_is_not_there_is_a_trouble_too() -> None:
    program = Supervised("it", ["/nonexistent"], lambda _: None, RestartPolicy(60))
    program.start()
    wait_until(lambda: program.trouble, "its trouble is reported", every_s=0.01)
    assert "/nonexistent" in program.trouble
    program.stop()


def test_a_preparation_that_fails_is_tried_again(tmp_path: Path) -> None:
    def prepare(_: bool) -> None:
        (tmp_path / "there" / "file").write_text("")

    with supervised("exec sleep 60", prepare) as program:
        wait_until(lambda: "there" in program.trouble, "its trouble is reported", every_s=0.01)
        (tmp_path / "there").mkdir()
        wait_until(lambda: program.pid, "it runs", every_s=0.01)


def test_it_is_prepared_each_time_and_told_whether_it_was_well() -> None:
    told: list[bool] = []
    with supervised("exit 1", told.append):
        wait_until(lambda: len(told) > 2, "three reports", every_s=0.01)
    assert told[:3] == [True, False, False]
    told.clear()
    with supervised("sleep 0.6", told.append):
        wait_until(lambda: len(told) > 1, "two reports", every_s=0.01)
    assert told[:2] == [True, True]


def test_the_pauses_grow_up_to_the_longest() -> None:
    began: list[float] = []
    patience = RestartPolicy(first_s=0.1, longest_s=0.4, well_after_s=60)
    with supervised("exit 1", lambda _: began.append(time.monotonic()), patience):
        wait_until(lambda: len(began) > 4, "five starts", every_s=0.01)
    pauses = [after - before for before, after in itertools.pairwise(began)]
    assert all(pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.4), strict=False))
    assert pauses[3] < 0.8


def test_it_ends_when_told_even_if_it_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hostloom.dhcp.supervision.STOP_TIMEOUT_S", 0.3)
    deaf = tmp_path / "deaf"
    with supervised(f"trap '' TERM; touch {deaf}; while :; do sleep 0.05; done") as program:
        wait_until(deaf.exists, "it is deaf to signals", every_s=0.01)
        pid = program.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_is_not_started_once_it_was_stopped() -> None:
    with supervised("exit 1", patience=RestartPolicy(60)) as program:
        wait_until(lambda: program.trouble, "its trouble is reported", every_s=0.01)
        program.stop()
        assert program.pid is None
