"""Runs a program and its children with a time limit."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from hostloom.model.errors.outside import HostUnreachable, HostUnreadable

#: A shell's exit code for a program that does not exist.
NOT_FOUND = 127
#: Limit of a program's output in bytes, and the interval of the checks in seconds.
MAX_OUTPUT_BYTES, LOOK_S = 16 << 20, 0.1


@dataclass(frozen=True)
class Completed:
    """Result of a command; a non-zero exit code is not an error."""

    exit_code: int
    stdout: str
    stderr: str


class Shell(Protocol):
    """A machine that runs commands."""

    @property
    def name(self) -> str:
        """Name of the machine in errors."""
        ...

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        """Run a command; HostUnreachable if it does not end in time, HostUnreadable if it prints too much."""
        ...


class Local:
    """The machine that hostloom runs on."""

    name = "this machine"

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        """Run a command on this machine."""
        return run_process(argv, timeout_s, self.name, argv[0], stdin)


def run_process(
    argv: Sequence[str], timeout_s: float, host: str, action: str, stdin: bytes = b""
) -> Completed:
    """Run a program; at the time limit, kill its process group and raise HostUnreachable with `action`.

    A program that prints more than MAX_OUTPUT_BYTES is also killed: HostUnreadable.

    The output goes to files, because a pipe must be read until all its writers have closed it, and processes
    that ssh starts for a ProxyCommand may keep it open forever.
    """
    with (
        tempfile.TemporaryFile() as output_file,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as errors,
    ):
        output_file.write(stdin)
        output_file.seek(0)
        try:
            process = subprocess.Popen(
                argv, stdin=output_file, stdout=out, stderr=errors, start_new_session=True
            )
        except FileNotFoundError as error:
            return Completed(NOT_FOUND, "", str(error))
        try:
            if not _ends(process, time.monotonic() + timeout_s, (out, errors)):
                raise HostUnreachable(host, f"{action}: no answer within {timeout_s:.3g} s")
        finally:
            kill_group(process)
        if max(map(_size, (out, errors))) > MAX_OUTPUT_BYTES:
            cause = f"it is longer than {MAX_OUTPUT_BYTES} bytes"
            raise HostUnreadable(host, f"the answer to {action}", cause)
        return Completed(process.returncode, _text(out), _text(errors))


def _ends(process: "subprocess.Popen[bytes]", deadline: float, files: Sequence[IO[bytes]]) -> bool:
    """Wait until the program ends or prints too much; False at the time limit."""
    while True:
        left_s = deadline - time.monotonic()
        try:
            process.wait(max(0.0, min(left_s, LOOK_S)))
            return True
        except subprocess.TimeoutExpired:
            if left_s <= 0:
                return False
            if max(map(_size, files)) > MAX_OUTPUT_BYTES:
                return True


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(MAX_OUTPUT_BYTES).decode(errors="replace")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the program's session."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
