"""A server as a process, as systemd starts it: `hostloom serve` with settings in its environment."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.sshd import free_port
from support.waiting import wait_until

SERVE = [sys.executable, "-m", "hostloom.cli", "serve"]


def server_environment(directory: Path, **settings: str) -> dict[str, str]:
    """The environment of a server whose files are in a directory and whose socket is `s` there."""
    values = {
        "STATE_DIR": str(directory),
        "SOCKET": str(directory / "s"),
        "LISTEN": f"127.0.0.1:{free_port()}",
    }
    return os.environ | {f"HOSTLOOM_{name}": value for name, value in (values | settings).items()}


@contextmanager
def serving_process(directory: Path, **settings: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A server that serves; its output is in `log`. It is killed at the end if it still runs."""
    log = directory / "log"
    with log.open("wb") as opened:
        environment = server_environment(directory, **settings)
        process = subprocess.Popen(SERVE, env=environment, stdout=opened, stderr=opened)

    def serves() -> bool:
        assert process.poll() is None, log.read_text()
        return "serving" in log.read_text()

    with process:
        try:
            wait_until(serves, "the server serves")
            yield process
        finally:
            process.kill()
