"""The target of the fuzzer: a server with its own folder and ports."""

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx


class Server:
    """Starts with the object, and answers when the constructor returns; SystemExit if it does not start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "api.sock"
        self.port, self.boot_port, self.tftp_port = _free_ports()
        config = {
            "state_dir": f'"{folder}/state"',
            "socket": f'"{self.socket}"',
            "listen": f'"127.0.0.1:{self.port}"',
            "boot_port": self.boot_port,
            "tftp_port": self.tftp_port,
            "boot_networks": '["127.0.0.0/8"]',
            "test_hosts": "true",
            "max_connections_per_address": 400,
        }
        (folder / "config.toml").write_text("".join(f"{name} = {value}\n" for name, value in config.items()))
        self.log = folder / "log"
        argv = [sys.executable, "-m", "hostloom.cli", "serve", "--config", str(folder / "config.toml")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        self.local = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.socket)), base_url="http://hostloom/api/v1", timeout=30
        )
        ends_at = time.monotonic() + 120
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > ends_at:
                raise SystemExit(f"the server does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)
        self.renew()

    def renew(self) -> None:
        """Make the user, token and key again: a request may have deleted them."""
        self.local.post("/users", json={"name": "fuzz", "admin": True})
        self.token = self.local.post("/tokens", json={"user": "fuzz"}).json()["text"]
        self.key = self.local.post("/apikeys", json={"user": "fuzz"}).json()["text"]

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return self.local.get("/about").status_code == 200
        return False

    @property
    def rss_mib(self) -> float:
        """The resident memory of the process."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        size = re.search(r"VmRSS:\s+(\d+)", text)
        return int(size[1]) / 1024 if size else 0.0

    def faults(self) -> list[str]:
        """Lines of the log that must not occur."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line[:300] for line in lines if "Traceback" in line or "unexpected error" in line]

    def stop(self) -> int:
        """Stop it with SIGTERM; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def _free_ports() -> tuple[int, int, int]:
    kinds = (socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM)
    sockets = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    for bound in sockets:
        bound.bind(("127.0.0.1", 0))
    ports = [bound.getsockname()[1] for bound in sockets]
    for bound in sockets:
        bound.close()
    return ports[0], ports[1], ports[2]
