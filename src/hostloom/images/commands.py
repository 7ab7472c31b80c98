"""Programs that a build runs; a failure says which, and in whose words."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hostloom.model.errors.outside import ImageFailed

#: depmod is there, and a server's PATH may be without it.
_PATH = ("/usr/sbin", "/sbin")


def run(argv: Sequence[str], *, cwd: Path | None = None, timeout_s: float = 120.0) -> str:
    """What it printed; ImageFailed with its words if it failed or is not there."""
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
        words = (result.stderr or result.stdout).strip() or f"exit code {result.returncode}"
        raise ImageFailed(" ".join(argv), words[-500:])
    return result.stdout
