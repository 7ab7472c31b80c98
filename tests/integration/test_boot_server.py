"""The boot server on real sockets: both families, many at once, clients that stall, a whole enlisting."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hostloom.config import Settings
from hostloom.model.errors import ConfigError
from hostloom.model.machine import MachineState
from hostloom.netboot import BootServer
from hostloom.patience import PatientProtocol
from support.little_world import LittleWorld, little_world
from support.rig import wait_until
from support.sshd import free_port

MAC = "52:54:00:99:00:01"
#: More than sockets' buffers take of an answer that nobody reads.
INITRD_BYTES = 64 * 2**20


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    return little_world(tmp_path, hosts_there=0)


@pytest.fixture
def server(tmp_path: Path, world: LittleWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[BootServer]:
    """Clients have half a second."""
    monkeypatch.setattr(PatientProtocol, "request_timeout_s", 0.5)
    monkeypatch.setattr(PatientProtocol, "stall_timeout_s", 0.5)
    monkeypatch.setattr(world.ports.ids, "secret", lambda: "s" * 32)
    (tmp_path / "kernel").write_bytes(b"kernel" * 100_000)
    with (tmp_path / "initrd").open("wb") as initrd:
        initrd.truncate(INITRD_BYTES)
    settings = Settings(
        state_dir=tmp_path,
        boot_port=free_port(),
        boot_kernel=tmp_path / "kernel",
        boot_initrd=tmp_path / "initrd",
        tftp_port=0,
    )
    server = BootServer(settings, world.ports)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def port(server: BootServer) -> int:
    return server._settings.boot_port


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_bare_machine_is_enlisted_over_both_families(port: int, world: LittleWorld, host: str) -> None:
    base = f"http://{host}:{port}"
    script = httpx.get(f"{base}/machine/{MAC}.ipxe").text
    assert f" hl.action=enlist hl.url={base} hl.token={'s' * 32} hl.name=m-525400990001 " in script
    found = {
        "cores": 2,
        "memory_mib": 4000,
        "architecture": "x86_64",
        "firmware": "bios",
        "nics": [{"name": "eth0", "mac": MAC, "carrier": True}],
    }
    leave = {"Authorization": f"Bearer {'s' * 32}"}
    assert httpx.post(f"{base}/commissioning", json=found, headers=leave).json() == {"next": "reboot"}
    assert httpx.post(f"{base}/commissioning", json=found, headers=leave).status_code == 403
    with world.ports.store.begin() as uow:
        (machine,) = uow.machines.list()
        assert machine.state is MachineState.NEW
        assert "s" * 32 not in json.dumps([each.details for each in uow.events.list()])
    again = httpx.get(f"{base}/machine/{MAC}.ipxe").text
    assert "kernel " not in again
    assert "it is new" in again


def test_eight_at_once_do_not_wait_for_one_that_stalls(port: int) -> None:
    with _stalled(port):

        def boot(_: int) -> int:
            script = httpx.get(f"http://127.0.0.1:{port}/machine/{MAC}.ipxe")
            kernel = httpx.get(f"http://127.0.0.1:{port}/images/given/kernel")
            return script.status_code * 1_000_000 + len(kernel.content)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(boot, range(8))) == {200 * 1_000_000 + 600_000}


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /boot.ipxe HTT",
        b"POST /commissioning HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + b"s" * 32 + b"\r\nContent-Length: 100\r\n\r\n{",
        b"GET /boot.ipxe HTTP/1.1\r\nHost: x\r\n\r\nGET /boo",
    ],
    ids=["nothing", "half a head", "half a body", "a second one by half"],
)
def test_a_client_that_does_not_go_on_is_let_go(port: int, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(said)
        assert _is_let_go(connection)


def test_a_client_that_takes_nothing_is_let_go(server: BootServer, port: int) -> None:
    connections = server._server.server_state.connections
    with _stalled(port) as connection:
        wait_until(lambda: bool(connections), "the connection", 20)
        wait_until(lambda: not connections, "its end, while nobody reads", 20)
        assert _is_let_go(connection)


def test_a_port_that_is_taken_is_named(port: int, world: LittleWorld, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="boot_port"):
        BootServer(Settings(state_dir=tmp_path, boot_port=port, tftp_port=0), world.ports)


def _stalled(port: int) -> socket.socket:
    """Asks for much and reads nothing."""
    connection = socket.create_connection(("127.0.0.1", port), 20)
    connection.sendall(b"GET /images/given/initrd HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection


def _is_let_go(connection: socket.socket) -> bool:
    """Read to the end of the connection, which comes before the end of what was asked."""
    got = 0
    try:
        while chunk := connection.recv(2**20):
            got += len(chunk)
    except ConnectionResetError:
        return True
    return got < INITRD_BYTES
