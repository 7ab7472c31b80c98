"""Run a program with its children, for so long and no longer."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from hostloom.model.errors import HostUnreachable

#: A shell's exit code for a program that is not there.
NOT_FOUND = 127


@dataclass(frozen=True)
class Completed:
    """A command's end; a non-zero exit is a result, not an error."""

    exit_code: int
    stdout: str
    stderr: str


class Shell(Protocol):
    """A machine that runs commands."""

    @property
    def name(self) -> str:
        """How errors name the machine."""
        ...

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        """Run a command; HostUnreachable if it has not ended in time."""
        ...


class Local:
    """The machine that hostloom runs on."""

    name = "this machine"

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        """Run a command here."""
        return run_process(argv, timeout_s, self.name, argv[0], stdin)


def run_process(
    argv: Sequence[str], timeout_s: float, host: str, action: str, stdin: bytes = b""
) -> Completed:
    """Run a program here; past its time its process group is killed and HostUnreachable says `action`.

    It prints into files: pipes would have to be read until everybody closed them, and what ssh leaves running
    for a user's ProxyCommand may keep them open for ever.
    """
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as errors,
    ):
        given.write(stdin)
        given.seek(0)
        try:
            process = subprocess.Popen(argv, stdin=given, stdout=out, stderr=errors, start_new_session=True)
        except FileNotFoundError as error:
            return Completed(NOT_FOUND, "", str(error))
        try:
            exit_code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise HostUnreachable(host, f"{action}: no answer within {timeout_s:.3g} s") from None
        finally:
            kill_group(process)
        return Completed(exit_code, _text(out), _text(errors))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what runs of a program that was started in a session of its own."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
