"""The boot server on real sockets: both families, many at once, clients that stall, a whole enlisting."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from hostloom.api.connections import TimeoutProtocol
from hostloom.model.commissioning import FoundHardware, FoundNic
from hostloom.model.errors.permissions import TooManyRequests
from hostloom.model.errors.server import ConfigError
from hostloom.model.ids import MacAddress
from hostloom.model.machine import MachineState
from hostloom.reconcilers.served_networks import ServedNetworks
from hostloom.server.config import Settings
from hostloom.server.netboot import BootServer
from hostloom.server.periodic import Reports
from hostloom.services.machine_reports import take_report
from hostloom.services.network_boot import boot_now
from support.little_world import LittleWorld, little_world
from support.sshd import free_port
from support.waiting import wait_until

MAC = "52:54:00:99:00:01"
#: More than sockets' buffers take of an answer that the client does not read.
INITRD_BYTES = 64 * 2**20


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    return little_world(tmp_path, hosts_there=0)


@pytest.fixture
def server(tmp_path: Path, world: LittleWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[BootServer]:
    """Clients have half a second."""
    monkeypatch.setattr(TimeoutProtocol, "request_timeout_s", 0.5)
    monkeypatch.setattr(TimeoutProtocol, "stall_timeout_s", 0.5)
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
        boot_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
    )
    server = BootServer(settings, world.ports, Reports())
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


def _report(port: int, secret: str, mac: str = MAC, ip: str = "127.0.0.1") -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.get(f"http://127.0.0.1:{port}/report?mac={mac}&ip={ip}", headers=headers)


def _up_secret(port: int, mac: str = MAC) -> str:
    script = httpx.get(f"http://127.0.0.1:{port}/machine/{mac}.ipxe").text
    return script.partition(" hl.up=")[2].partition(" ")[0]


def test_only_the_machine_itself_reports_that_it_is_up(port: int, world: LittleWorld) -> None:
    secret = _up_secret(port)
    assert _report(port, secret[::-1]).status_code == 403
    assert _report(port, secret, mac="52:54:00:99:00:02").status_code == 403
    assert _report(port, secret, ip="10.9.9.9").status_code == 200
    with world.ports.store.begin() as uow:
        (event,) = [each for each in uow.events.list() if each.kind == "machine-up"]
    assert "the report came from 127.0.0.1" in event.message


def test_reports_are_counted(port: int, world: LittleWorld) -> None:
    secret = _up_secret(port)
    found = [_report(port, secret).status_code for _ in range(12)]
    assert (found[0], found[-1]) == (200, 429)
    with world.ports.store.begin() as uow:
        assert sum(each.kind == "machine-up" for each in uow.events.list()) == found.count(200) < 10


def _enlist(port: int, monkeypatch: pytest.MonkeyPatch, world: LittleWorld, number: int) -> int:
    mac, secret = f"52:54:00:98:00:{number:02x}", f"{number:032d}"
    monkeypatch.setattr(world.ports.ids, "secret", lambda: secret)
    httpx.get(f"http://127.0.0.1:{port}/machine/{mac}.ipxe")
    found = {"cores": 1, "memory_mib": 100, "architecture": "x86_64", "firmware": "bios"}
    found["nics"] = [{"name": "eth0", "mac": mac, "carrier": True}]
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.post(f"http://127.0.0.1:{port}/commissioning", json=found, headers=headers).status_code


def test_one_address_cannot_invent_machines_for_ever(
    port: int, monkeypatch: pytest.MonkeyPatch, world: LittleWorld
) -> None:
    found = [_enlist(port, monkeypatch, world, number) for number in range(24)]
    assert found[0] == 200
    assert found[-1] == 429
    with world.ports.store.begin() as uow:
        assert len(uow.machines.list()) == found.count(200) < 20


def test_so_many_new_machines_are_enough(tmp_path: Path, world: LittleWorld) -> None:
    ports = replace(world.ports, settings=replace(world.ports.settings, max_new_machines=1))
    nics = [FoundNic("eth0", MacAddress(f"52:54:00:97:00:0{n}"), carrier=True) for n in range(2)]
    for nic in nics:
        now = boot_now(ports, nic.mac, enlist=True, has_image=lambda _: True)
        hardware = FoundHardware(1, 100, "x86_64", "bios", nics=(nic,))
        if nic is nics[0]:
            take_report(ports, now.secret, hardware)
        else:
            with pytest.raises(TooManyRequests, match="wait as new"):
                take_report(ports, now.secret, hardware)
    with world.ports.store.begin() as uow:
        assert len(uow.machines.list()) == 1


def test_served_networks_are_those_of_our_dhcp(world: LittleWorld) -> None:
    with world.ports.store.begin() as uow:
        snapshot = uow.snapshot()
        (served,) = [each for each in snapshot.subnets if each.vlan_id in snapshot.bootable_vlans]
    networks = ServedNetworks(world.ports, [ip_network("192.0.2.0/24")])
    for address, answered in (
        (str(served.cidr[5]), True),
        (f"::ffff:{served.cidr[5]}", True),
        ("192.0.2.9", True),
        ("127.0.0.1", False),
        ("203.0.113.1", False),
        ("fe80::1%eth0", False),
        ("169.254.1.1", True),
        ("nonsense", False),
        ("", False),
    ):
        assert (address in networks) is answered, address


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
        wait_until(lambda: not connections, "its end, while the client does not read", 20)
        assert _is_let_go(connection)


def test_a_port_that_is_taken_is_named(port: int, world: LittleWorld, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="boot_port"):
        BootServer(Settings(state_dir=tmp_path, boot_port=port, tftp_port=0), world.ports, Reports())


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
