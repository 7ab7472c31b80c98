"""Limits of imports, and programs that read untrusted files: with little memory, time and output."""

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from hostloom.model.errors.outside import DiskImageFailed

MIB, GIB = 2**20, 2**30
_PATH = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
_MAX_MESSAGE = 500
#: Of what a program prints as errors, the end of this size is kept.
_MESSAGES_BYTES = 4096
#: The beginning of a command that the kernel kills if this process dies.
ENDS_WITH_SERVER = ("setpriv", "--pdeathsig", "KILL", "--")
#: Exit code of prlimit(1) if there is no such program.
_NOT_EXECUTED = 127


@dataclass(frozen=True)
class ImportLimits:
    """How large an image may be, and how long its import may take."""

    #: Maximum size of the disk and of the imported file.
    disk_bytes: int = 64 * GIB
    #: Maximum ratio of expanded to compressed size, checked once `expansion_floor_bytes` are written.
    expansion: int = 1000
    expansion_floor_bytes: int = 256 * MIB
    download_timeout_s: float = 4 * 3600.0
    #: A list of checksums or a document of a mirror must arrive within this time.
    document_timeout_s: float = 120.0
    #: A web server must send something within this time.
    stall_timeout_s: float = 60.0
    #: CPU time of one program.
    cpu_s: int = 3600


@dataclass(frozen=True)
class Confined:
    """The limits of one program."""

    memory_bytes: int = GIB
    cpu_s: int = 60
    output_bytes: int = MIB
    #: Maximum size of any file that it writes; 0 forbids writing.
    file_bytes: int = 0


class ConfinedProgram:
    """A confined program that runs; a thread reads its messages, because it would wait for a full pipe."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        self._name, self._process = name, process
        self._messages = b""
        self._reader = threading.Thread(target=self._read_messages, name="messages", daemon=True)
        self._reader.start()

    @property
    def stdin(self) -> IO[bytes]:
        """The program's input; ValueError if it was started without a pipe for it."""
        return _pipe(self._process.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        """The program's output; ValueError if it was started without a pipe for it."""
        return _pipe(self._process.stdout)

    def kill(self) -> None:
        """End the program if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._reader.join()

    def wait(self, what: str) -> int:
        """The exit code; DiskImageFailed about `what` if the program does not exist."""
        code = self._process.wait()
        if code == _NOT_EXECUTED:
            raise DiskImageFailed(what, f"the program {self._name} is not installed")
        return code

    def check(self, what: str) -> None:
        """Wait for the end of the program; DiskImageFailed with its message about `what` if it failed."""
        code = self.wait(what)
        if code == 0:
            return
        self._reader.join()
        message = self._messages.decode(errors="replace").strip()
        if code < 0 and not message:
            message = f"it needed too much memory, time or space (signal {-code})"
        raise DiskImageFailed(what, f"{self._name}: {message[-_MAX_MESSAGE:] or f'exit code {code}'}")

    def _read_messages(self) -> None:
        """Keep the end of what the program prints as errors."""
        while part := _pipe(self._process.stderr).read(_MESSAGES_BYTES):
            self._messages = (self._messages + part)[-_MESSAGES_BYTES:]


@contextmanager
def running(
    argv: Sequence[str],
    limits: Confined,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
) -> Iterator[ConfinedProgram]:
    """A confined program, which is killed if the block ends before it does."""
    environment = {
        "LC_ALL": "C",
        "PATH": ":".join([*_PATH, os.environ.get("PATH", "")]),
        "MTOOLS_SKIP_CHECK": "1",
    }
    try:
        process = subprocess.Popen(
            [*ENDS_WITH_SERVER, *_prlimit(limits), *argv],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment,
        )
    except FileNotFoundError as error:
        raise DiskImageFailed("the disk image", "`setpriv` of util-linux is not installed") from error
    with process:
        program = ConfinedProgram(argv[0], process)
        try:
            yield program
        finally:
            program.kill()


def read_output(argv: Sequence[str], limits: Confined) -> tuple[int, bytes]:
    """Exit code and output of a program; it is killed once it has printed more than it may."""
    with running(argv, limits) as program:
        output = program.stdout.read(limits.output_bytes + 1)
        if len(output) > limits.output_bytes:
            return -1, output[: limits.output_bytes]
        return program.wait("the disk image"), output


def run_confined(argv: Sequence[str], limits: Confined, what: str) -> bytes:
    """Output of a program; DiskImageFailed about `what` if it fails or prints more than it may."""
    with running(argv, limits) as program:
        output = program.stdout.read(limits.output_bytes + 1)
        if len(output) > limits.output_bytes:
            raise DiskImageFailed(what, f"{argv[0]} prints more than {limits.output_bytes} bytes")
        program.check(what)
        return output


def _prlimit(limits: Confined) -> list[str]:
    """The beginning of a command that sets limits, with prlimit(1)."""
    return [
        "prlimit",
        f"--as={limits.memory_bytes}",
        f"--cpu={limits.cpu_s}",
        f"--fsize={limits.file_bytes}",
        "--core=0",
        "--",
    ]


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the program was started without this pipe")
    return stream
