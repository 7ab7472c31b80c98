"""Runs the programs that make boot images and seed disks."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import ImageFailed

#: Directory of depmod, which a server's PATH may lack.
_PATH = ("/usr/sbin", "/sbin")


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    timeout_s: float = 120.0,
    environment: Mapping[str, str] | None = None,
    failure: Callable[[str, str], DriverError] = ImageFailed,
) -> str:
    """The program's output; `failure`, made of the command and the cause, if it fails or does not exist."""
    path = ":".join([os.environ.get("PATH", ""), *_PATH])
    try:
        result = subprocess.run(
            list(argv),
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C", "PATH": path, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise failure(argv[0], "it is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise failure(" ".join(argv), f"it did not end within {timeout_s:g} s") from error
    if result.returncode != 0:
        message = (result.stderr or result.stdout).strip() or f"exit code {result.returncode}"
        raise failure(" ".join(argv), message[-500:])
    return result.stdout
