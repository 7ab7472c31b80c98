"""Following an operation, and letting go of it."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import typer

from hostloom.cli.exit_codes import Exit
from hostloom.cli.follow import finish
from hostloom.cli.output import Format
from hostloom.client import Client, Document


def operation(state: str, *steps: tuple[str, str, str], error: str = "", code: str = "") -> Document:
    return {
        "id": "op-1",
        "saga": "compose",
        "subject": "machine vm1",
        "state": state,
        "error": error,
        "error_code": code,
        "steps": [{"name": name, "state": step, "error": text} for name, step, text in steps],
    }


class Told:
    """A client that tells a story, and then perhaps ctrl-C."""

    def __init__(self, *story: Document, interrupted: bool = False) -> None:
        self._story, self._interrupted = story, interrupted

    def follow(self, _: str) -> Iterator[Document]:
        yield from self._story
        if self._interrupted:
            raise KeyboardInterrupt


def end(client: Told, *, wait: bool = True) -> int:
    with pytest.raises(typer.Exit) as left:
        finish(cast("Client", client), operation("pending"), Format.TABLE, wait=wait)
    return left.value.exit_code


def test_ctrl_c_leaves_the_operation_running_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    story = Told(operation("running", ("observe", "done", "")), interrupted=True)
    assert end(story) == Exit.INTERRUPTED
    told = capsys.readouterr().err
    assert "observe: done" in told
    assert "hostloom operation follow op-1" in told
    assert "hostloom operation cancel op-1" in told


def test_a_failure_says_which_step_and_that_it_is_undone(capsys: pytest.CaptureFixture[str]) -> None:
    steps = (("volumes", "undone", ""), ("domain", "failed", "no space"))
    failed = operation("failed", *steps, error="cannot define: no space", code="hypervisor-rejected")
    assert end(Told(failed)) == Exit.FAILED
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "volumes: undone"
    assert told[1] == "domain: failed: no space"
    assert told[2].startswith("error: compose machine vm1 failed: cannot define: no space")
    assert "undone" in told[3]


def test_a_stuck_one_says_how_to_retry(capsys: pytest.CaptureFixture[str]) -> None:
    assert end(Told(operation("stuck", error="kvm1 is gone"))) == Exit.STUCK
    assert "hostloom operation retry op-1" in capsys.readouterr().err


def test_without_waiting_it_is_only_begun(capsys: pytest.CaptureFixture[str]) -> None:
    assert end(Told(), wait=False) == Exit.OK
    assert "hostloom operation follow op-1" in capsys.readouterr().err


def test_a_success_is_returned() -> None:
    done: Any = operation("succeeded", ("observe", "done", ""))
    assert finish(cast("Client", Told(done)), operation("pending"), Format.TABLE, wait=True) == done
