"""The servers of a campaign: one on SQLite, two on PostgreSQL; killed, stopped and started again."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from knife import Plan

from hostloom.client import Client, Target
from hostloom_lab.lab import Lab

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0


class Launcher:
    """The process that forks servers in the rack."""

    def __init__(self, lab: Lab) -> None:
        argv = lab.in_rack([sys.executable, str(Path(__file__).with_name("launcher.py"))])
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def ask(self, do: str, **words: Any) -> Any:
        """Send a command and return its answer."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"do": do, **words}) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class Server:
    """One server."""

    def __init__(
        self,
        lab: Lab,
        launcher: Launcher,
        directory: Path,
        number: int,
        changes: dict[str, Any],
        lease_s: float,
    ) -> None:
        self.name, self.directory = f"server {number}", directory
        self._launcher, self._lease_s = launcher, lease_s
        directory.mkdir(parents=True, exist_ok=True)
        self.socket = directory / "api.sock"
        self._note = directory / "killed-at"
        self._pid: int | None = None
        settings = {
            "state_dir": str(directory / "state"),
            "socket": str(self.socket),
            "listen": f"{lab.plan.rack_link_address.ip}:{5240 + number}",
            "kea_socket": str(lab.kea_socket),
            "ssh_config": str(lab.ssh_config),
            "refresh_every_s": 15,
        } | changes
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        (directory / "config.toml").write_text("".join(lines))

    def start(self, plan: Plan, *, armed: bool = False) -> bool:
        """Start it and wait until it serves; False if it was killed before. `armed`: it may be."""
        self._note.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)
        self._pid = self._launcher.ask(
            "start",
            config=str(self.directory / "config.toml"),
            log=str(self.directory / "log"),
            note=str(self._note),
            plan=asdict(plan),
            lease_s=self._lease_s,
            armed=armed,
        )
        until = time.monotonic() + START_TIMEOUT_S
        while not self.socket.exists():
            if not self.is_alive():
                if not self._note.exists():
                    raise RuntimeError(f"{self.name} does not start: {self.log()[-2000:]}")
                return False
            assert time.monotonic() < until, f"{self.name} does not serve within {START_TIMEOUT_S:g} s"
            time.sleep(0.05)
        return True

    def is_alive(self) -> bool:
        """Whether its process runs."""
        if self._pid is not None and self._launcher.ask("poll", pid=self._pid) is not None:
            self._pid = None
        return self._pid is not None

    def arm(self) -> None:
        """Have it count the points of its plan from now on."""
        self.send(signal.SIGUSR1)

    def send(self, number: int) -> None:
        """Send it a signal."""
        if self.is_alive():
            self._launcher.ask("signal", pid=self._pid, number=number)

    def end(self, number: int = signal.SIGKILL) -> None:
        """Send a signal and wait for its end."""
        self.send(number)
        until = time.monotonic() + STOP_TIMEOUT_S
        while self.is_alive():
            assert time.monotonic() < until, f"{self.name} does not end within {STOP_TIMEOUT_S:g} s"
            time.sleep(0.05)

    def killed_at(self) -> str | None:
        """The point at which it killed itself."""
        return self._note.read_text() if self._note.exists() else None

    def log(self) -> str:
        """What it logged."""
        path = self.directory / "log"
        return path.read_text() if path.exists() else ""

    def client(self) -> Client:
        """A client of it."""
        return Client(Target(socket=self.socket))


def share_keys(servers: Sequence[Server]) -> None:
    """Give every server the pinned keys and the secret of the first, as an operator would."""
    first = servers[0].directory / "state"
    for server in servers[1:]:
        state = server.directory / "state"
        state.mkdir(parents=True, exist_ok=True)
        for name in ("known_hosts", "secret"):
            if (first / name).exists():
                shutil.copy(first / name, state / name)
