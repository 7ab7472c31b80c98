import os
import signal
from pathlib import Path

import pytest

from hostloom.model.errors.outside import HostUnreachable, HostUnreadable
from hostloom.remote import command
from hostloom.remote.command import Local
from support.waiting import wait_until


def is_running(process: int) -> bool:
    """Whether it runs; one that has ended and was not waited for yet does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


def test_a_result() -> None:
    done = Local().run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.exit_code, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_bytes_that_are_no_text() -> None:
    assert Local().run(["printf", r"a\377b"]).stdout == "a\N{REPLACEMENT CHARACTER}b"


def test_a_program_that_is_not_there() -> None:
    done = Local().run(["hostloom-no-such-program"])
    assert done.exit_code == 127
    assert "hostloom-no-such-program" in done.stderr


def test_past_its_time_a_program_goes_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    with pytest.raises(HostUnreachable, match=r"sh: no answer within 0\.5 s"):
        Local().run(["sh", "-c", f"sleep 600 & echo $! > {child}; sleep 600"], 0.5)
    # The kernel takes a moment to end what was killed.
    wait_until(lambda: not is_running(int(child.read_text())), "the child has ended", every_s=0.01)


def test_what_is_left_running_is_not_waited_for() -> None:
    child = int(Local().run(["sh", "-c", "sleep 600 & echo $!"]).stdout)
    assert is_running(child)
    os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_what_prints_without_end_is_ended_early(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MAX_OUTPUT_BYTES", 100_000)
    with pytest.raises(HostUnreadable, match=r"the answer to sh of host .* longer than 100000 bytes"):
        Local().run(["sh", "-c", f"yes {stream}"], 30)
    with pytest.raises(HostUnreadable):
        Local().run(["sh", "-c", f"head -c 100001 /dev/zero {stream}"])
    assert Local().run(["head", "-c", "100000", "/dev/zero"]).exit_code == 0
