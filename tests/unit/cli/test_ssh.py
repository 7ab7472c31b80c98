"""The ssh command of a deployed machine."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from hostloom.cli import ssh
from hostloom.cli.ssh import addresses_of, ssh_command


def a_machine(*ips: str, **changes: Any) -> Any:
    nics = [{"ips": [ip], "boot": number == len(ips) - 1} for number, ip in enumerate(ips)]
    deployment = {"user": "debian", "host_keys": ["ssh-ed25519 AAAA", "ssh-rsa BBBB"]}
    machine = {"hostname": "web", "system_id": "abc123", "state": "deployed", "interfaces": nics}
    return machine | {"deployment": deployment} | changes


@pytest.fixture
def open_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address of this machine at which ssh answers."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]
        connect = socket.create_connection

        def to_port(address: tuple[str, int], timeout: float) -> socket.socket:
            assert address[1] == 22
            return connect((address[0], port), timeout)

        monkeypatch.setattr(ssh.socket, "create_connection", to_port)
        yield "127.0.0.2"


def test_only_reported_host_keys_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "known" / "abc123"
    argv = ssh_command(a_machine("10.0.0.9"), file, Path("id"), ["uptime", "-p"])
    assert file.read_text() == "hostloom-abc123 ssh-ed25519 AAAA\nhostloom-abc123 ssh-rsa BBBB\n"
    assert argv[0] == "ssh"
    assert {f"UserKnownHostsFile={file}", "HostKeyAlias=hostloom-abc123", "StrictHostKeyChecking=yes"} < set(
        argv
    )
    assert argv[-8:] == ["-i", "id", "-l", "debian", "--", "10.0.0.9", "uptime", "-p"]


def test_the_first_address_that_answers_is_used(tmp_path: Path, open_address: str) -> None:
    machine = a_machine("127.0.0.2", "127.0.0.3")
    assert addresses_of(machine) == ["127.0.0.3", "127.0.0.2"]  # the boot NIC comes first
    assert ssh_command(machine, tmp_path / "known", None, [])[-1] == open_address


@pytest.mark.parametrize(
    "machine",
    [
        a_machine("10.0.0.9", deployment=None),
        a_machine("10.0.0.9", deployment={"user": "debian", "host_keys": []}),
        a_machine(),
    ],
)
def test_a_machine_that_cannot_be_reached_safely_is_refused(tmp_path: Path, machine: Any) -> None:
    with pytest.raises(typer.Exit):
        ssh_command(machine, tmp_path / "known", None, [])
    assert not (tmp_path / "known").exists()
