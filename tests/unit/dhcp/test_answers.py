"""Answers of a Kea, or of what stands in its place, are bounded in length and time."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hostloom.dhcp import channel, control
from hostloom.dhcp.channel import ControlAgent
from hostloom.dhcp.control import ControlSocket
from hostloom.dhcp.server import KeaServer
from hostloom.model.errors.outside import DhcpUnreachable


@contextmanager
def answering(path: Path, answer: Callable[[socket.socket], None]) -> Iterator[ControlSocket]:
    """A socket where every client gets this answer."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(1000)
                    answer(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield ControlSocket(path)
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def endless(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 10_000)


def slow(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def test_an_answer_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ANSWER_BYTES", 100_000)
    with (
        answering(tmp_path / "s", endless) as kea,
        pytest.raises(DhcpUnreachable, match="longer than 100000"),
    ):
        kea.command("version-get", timeout_s=10)


def test_an_answer_that_trickles(tmp_path: Path) -> None:
    with answering(tmp_path / "s", slow) as kea, pytest.raises(DhcpUnreachable, match=r"within 0\.3 s"):
        kea.command("version-get", timeout_s=0.3)


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff", b"9" * 5000, b"[]", b"7", b'{"x": 1}'])
def test_an_answer_that_is_none_of_kea(tmp_path: Path, text: bytes) -> None:
    with (
        answering(tmp_path / "s", lambda connection: connection.sendall(text)) as kea,
        pytest.raises(DhcpUnreachable, match="answer to version-get is not"),
    ):
        kea.command("version-get", timeout_s=10)


@pytest.mark.parametrize(("pause_s", "why"), [(0.0, "longer than 100000"), (0.05, r"within 0\.3 s")])
def test_an_agent_whose_answer_does_not_end(
    pause_s: float, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * (100 if pause_s else 10_000))
                    time.sleep(pause_s)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            """Quiet."""

    monkeypatch.setattr(channel, "ANSWER_BYTES", 100_000)
    monkeypatch.setattr(channel, "CHUNK_BYTES", 100)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        agent = ControlAgent(f"http://127.0.0.1:{server.server_port}/", 4, None, Path("/nowhere"))
        with pytest.raises(DhcpUnreachable, match=why):
            agent.command("version-get", timeout_s=0.3 if pause_s else 10)
    finally:
        server.shutdown()
        server.server_close()


LEASE = {
    "ip-address": "10.0.0.9",
    "hw-address": "52:54:00:00:00:01",
    "subnet-id": 1,
    "cltt": 1,
    "valid-lft": 2,
}


@pytest.mark.parametrize(
    "odd", [5, {}, LEASE | {"ip-address": "x"}, LEASE | {"cltt": "y"}, LEASE | {"subnet-id": []}]
)
def test_a_lease_that_cannot_be_read_takes_no_other_away(
    tmp_path: Path, odd: object, caplog: pytest.LogCaptureFixture
) -> None:
    text = json.dumps({"result": 0, "arguments": {"leases": [odd, LEASE]}}).encode()
    with answering(tmp_path / "s", lambda connection: connection.sendall(text)) as kea:
        leases = list(KeaServer(4, kea).leases())
    assert [str(lease.ip) for lease in leases] == ["10.0.0.9"]
    assert "lease 1: expected a lease as Kea writes it" in caplog.text
