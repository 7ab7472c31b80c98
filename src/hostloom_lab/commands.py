"""Runs the programs of the lab; errors name the program and quote its message."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hostloom_lab.errors import LabError


def run(argv: Sequence[str], *, text: str | None = None, timeout_s: float = 60.0) -> str:
    """Run a program and return its output; LabError with its error message if it fails."""
    try:
        result = subprocess.run(
            list(argv),
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{' '.join(argv)}` did not end within {timeout_s:g} s") from error
    if result.returncode != 0:
        message = (result.stderr or result.stdout).strip() or f"exit code {result.returncode}"
        raise LabError(f"`{' '.join(argv)}` failed: {message}")
    return result.stdout


def ip(netns: str | None, lines: Iterable[str]) -> None:
    """Run `ip` commands as one batch, in a namespace or in the root namespace."""
    where = ["-n", netns] if netns else []
    run(["ip", *where, "-batch", "-"], text="\n".join(lines) + "\n")


def inside(netns: str, argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` in a namespace."""
    return ["ip", "netns", "exec", netns, *argv]


def wait_until(is_true: Callable[[], bool], condition: str, timeout_s: float = 20.0) -> None:
    """Poll every 50 ms; LabError names the condition that did not become true."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > deadline:
            raise LabError(f"{condition} did not happen within {timeout_s:g} s")
        time.sleep(0.05)


def kill(pids: Iterable[int], timeout_s: float = 10.0) -> None:
    """Kill processes, and wait until they have ended."""
    pids = list(pids)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(is_alive(pid) for pid in pids), f"the end of {pids}", timeout_s)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123  (a path of the kernel)
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pids_in(netns: str) -> list[int]:
    """The processes in a network namespace."""
    try:
        return [int(pid) for pid in run(["ip", "netns", "pids", netns]).split()]
    except LabError:
        return []


def namespaces() -> set[str]:
    """The named network namespaces of this machine."""
    return {line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line.strip()}


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Make the folder, and wait until no other process is in such a block for it."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
