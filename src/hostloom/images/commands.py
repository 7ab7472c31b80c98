"""Runs the programs of a build."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hostloom.model.errors.outside import ImageFailed

#: Directory of depmod, which a server's PATH may lack.
_PATH = ("/usr/sbin", "/sbin")


def run(argv: Sequence[str], *, cwd: Path | None = None, timeout_s: float = 120.0) -> str:
    """The program's output; ImageFailed with its error message if it fails or does not exist."""
    environment = {**os.environ, "LC_ALL": "C", "PATH": ":".join([os.environ.get("PATH", ""), *_PATH])}
    try:
        result = subprocess.run(
            list(argv),
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise ImageFailed(argv[0], "it is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ImageFailed(" ".join(argv), f"it did not end within {timeout_s:g} s") from error
    if result.returncode != 0:
        message = (result.stderr or result.stdout).strip() or f"exit code {result.returncode}"
        raise ImageFailed(" ".join(argv), message[-500:])
    return result.stdout
