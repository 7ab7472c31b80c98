"""Limits of imports, and programs that read untrusted files: with little memory, time and output."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hostloom.model.errors.outside import DiskImageFailed

MIB, GIB = 2**20, 2**30
_PATH = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
_MAX_MESSAGE = 500
#: Exit code of prlimit(1) if there is no such program.
_NOT_EXECUTED = 127


@dataclass(frozen=True)
class ImportLimits:
    """How large an image may be, and how long its import may take."""

    #: Of the disk and of the file that is imported.
    disk_bytes: int = 64 * GIB
    #: A file may expand to so many times its size, once it has expanded to `expansion_floor_bytes`.
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
    #: Of any file that it writes; 0: it may write none.
    file_bytes: int = 0


def confined(argv: Sequence[str], limits: Confined) -> list[str]:
    """The command with limits, which prlimit(1) sets."""
    return [
        "prlimit",
        f"--as={limits.memory_bytes}",
        f"--cpu={limits.cpu_s}",
        f"--fsize={limits.file_bytes}",
        "--core=0",
        "--",
        *argv,
    ]


@contextmanager
def running(
    argv: Sequence[str],
    limits: Confined,
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    cwd: Path | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A confined program, which is killed if the block ends before it does."""
    environment = {
        "LC_ALL": "C",
        "PATH": ":".join([*_PATH, os.environ.get("PATH", "")]),
        "MTOOLS_SKIP_CHECK": "1",
    }
    try:
        process = subprocess.Popen(
            confined(argv, limits),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise DiskImageFailed("the disk image", "`prlimit` of util-linux is not installed") from error
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """A stream of a program that was started with a pipe for it."""
    if stream is None:
        raise ValueError("the program was started without this pipe")
    return stream


def read_output(argv: Sequence[str], limits: Confined) -> tuple[int, bytes]:
    """Exit code and output of a program; it is killed once it has printed more than it may."""
    with running(argv, limits, stdout=subprocess.PIPE) as process:
        output = pipe(process.stdout).read(limits.output_bytes + 1)
        if len(output) > limits.output_bytes:
            return -1, output[: limits.output_bytes]
        code = process.wait()
    if code == _NOT_EXECUTED:
        raise DiskImageFailed("the disk image", f"the program {argv[0]} is not installed")
    return code, output


def run_confined(argv: Sequence[str], limits: Confined, what: str) -> bytes:
    """Output of a program; DiskImageFailed with its message about `what` if it fails."""
    with running(argv, limits, stdout=subprocess.PIPE) as process:
        output = pipe(process.stdout).read(limits.output_bytes)
        complain_if_failed(process, argv[0], what)
        return output


def complain_if_failed(process: "subprocess.Popen[bytes]", program: str, what: str) -> None:
    """Wait for the end of a program; DiskImageFailed with its message."""
    message = pipe(process.stderr).read(64 * 1024).decode(errors="replace").strip()
    code = process.wait()
    if code == 0:
        return
    if code == _NOT_EXECUTED:
        raise DiskImageFailed(what, f"the program {program} is not installed")
    if code < 0 and not message:
        message = f"it needed too much memory, time or space (signal {-code})"
    raise DiskImageFailed(what, f"{program}: {message[-_MAX_MESSAGE:] or f'exit code {code}'}")
