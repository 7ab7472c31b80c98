"""Runs the programs that build a disk image; they end with the server, and at a cancellation."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from hostloom.images.limits import ENDS_WITH_SERVER
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.ports.disk_images import Progress

#: Debian packages of the programs that a build needs.
PACKAGES = {
    "debugfs": "e2fsprogs",
    "dumpe2fs": "e2fsprogs",
    "mcopy": "mtools",
    "mformat": "mtools",
    "mke2fs": "e2fsprogs",
    "mmd": "mtools",
    "mmdebstrap": "mmdebstrap",
    "newuidmap": "uidmap",
    "setpriv": "util-linux",
    "sfdisk": "fdisk",
    "tar": "tar",
    "unshare": "util-linux",
}
#: Programs that root does not need.
_FOR_USERS = ("newuidmap",)
_PATH = ":".join(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
#: Variables of the server's environment that are passed to the programs.
_PASSED = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
#: Seconds between two reports of progress, which also notice a cancellation.
_REPORT_EVERY_S = 1.0
#: Root's programs are in a PID namespace, so that their children die with them: mmdebstrap would go on for a
#: while, and write where the next attempt deletes. A shell is its first process, because it reaps processes
#: that lost their parent.
_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--")
_FIRST_PROCESS = ("sh", "-c", '"$@"; exit $?', "sh")
#: Time for the kernel to end a namespace.
_END_S = 30.0
_MAX_MESSAGE = 500


def check_programs() -> None:
    """DiskImageFailed that names the missing programs and their packages."""
    needed = [program for program in PACKAGES if os.geteuid() != 0 or program not in _FOR_USERS]
    missing = [program for program in needed if shutil.which(program, path=_PATH) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES[program] for program in missing}))
        raise DiskImageFailed(
            "a disk image",
            f"the server lacks {', '.join(missing)}; install there: {packages}",
            "built",
        )


def as_root(argv: Sequence[str]) -> list[str]:
    """The command as root, or as the root of a user namespace if the server does not run as root."""
    if os.geteuid() == 0:
        return list(argv)
    return ["unshare", "--user", "--map-root-user", "--map-auto", "--", *argv]


def run(
    argv: Sequence[str],
    what: str,
    *,
    progress: Progress,
    timeout_s: float = 600.0,
    environment: Mapping[str, str] | None = None,
    script: str = "",
    cwd: Path | None = None,
) -> str:
    """The program's output; DiskImageFailed with its last message. `script` becomes its standard input.

    Whatever `progress` raises ends the program.
    """
    variables = {name: os.environ[name] for name in _PASSED if name in os.environ}
    variables |= {"PATH": _PATH, "LC_ALL": "C.UTF-8", **(environment or {})}
    with (
        tempfile.TemporaryFile() as read,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as log,
    ):
        read.write(script.encode())
        read.seek(0)
        process = _start(argv, what, variables, (read, output, log), cwd)
        try:
            _wait(process, what, timeout_s, progress)
        finally:
            _end(process)
        if process.returncode != 0:
            raise DiskImageFailed(
                what, f"{argv[0]}: {_message(log) or f'exit code {process.returncode}'}", "built"
            )
        output.seek(0)
        return output.read().decode(errors="replace")


def _start(
    argv: Sequence[str],
    what: str,
    variables: Mapping[str, str],
    files: tuple[BinaryIO, BinaryIO, BinaryIO],
    cwd: Path | None,
) -> "subprocess.Popen[bytes]":
    """Start a program that ends with this process."""
    read, output, log = files
    before = [*_NAMESPACE, *_FIRST_PROCESS] if os.geteuid() == 0 else []
    try:
        return subprocess.Popen(
            [*ENDS_WITH_SERVER, *before, *argv],
            stdin=read,
            stdout=output,
            stderr=log,
            env=dict(variables),
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise DiskImageFailed(what, "setpriv of util-linux is not installed", "built") from error


def _wait(process: "subprocess.Popen[bytes]", what: str, timeout_s: float, progress: Progress) -> None:
    waited = 0.0
    while waited < timeout_s:
        try:
            process.wait(_REPORT_EVERY_S)
        except subprocess.TimeoutExpired:
            waited += _REPORT_EVERY_S
            progress(0, None)
        else:
            return
    raise DiskImageFailed(what, f"a program did not end within {timeout_s:g} s", "built")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program that still runs, and everything that it started."""
    if process.poll() is not None:
        return
    if os.geteuid() == 0:
        # unshare ends after the first process of the namespace, and that one after all others.
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        with suppress(OSError):
            for child in children.read_text().split():
                os.kill(int(child), signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _message(log: BinaryIO) -> str:
    """The lines that name an error (`E: …` of apt and mmdebstrap), or the last ones."""
    log.seek(0)
    lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E: ")]
    return "; ".join(errors or lines[-5:])[-_MAX_MESSAGE:]
