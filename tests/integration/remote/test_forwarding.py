"""How a socket on a host is reached: whichever of several there is, and whatever its sshd forbids."""

import contextlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hostloom.model.errors.outside import HostRefused
from hostloom.remote.connection import Remotes
from support.echo import answering, ask
from support.sshd import Sshd, descendants

#: What administrators and security guides write to forbid forwarding.
WITHOUT_FORWARDING = ["AllowTcpForwarding no", "DisableForwarding yes", "AllowStreamLocalForwarding no"]


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Path]:
    with answering(tmp_path / "echo") as path:
        yield path


def restart(sshd: Sshd, directives: str) -> None:
    sshd.stop()
    sshd.configure(directives)
    sshd.start()


@pytest.mark.parametrize("directive", ["", *WITHOUT_FORWARDING, "DisableForwarding yes\nMaxSessions 3"])
def test_a_socket_is_reached_whatever_sshd_forbids(
    pinned: Sshd, remotes: Remotes, echo: Path, directive: str
) -> None:
    restart(pinned, directive)
    remote = remotes.of(pinned.address)
    local = remote.forward_unix(str(echo))
    assert [ask(local) for _ in range(3)] == [b"HELLO"] * 3
    assert remote.forward_unix(str(echo)) == local


def test_nothing_of_a_relay_outlives_its_connection(pinned: Sshd, remotes: Remotes, echo: Path) -> None:
    restart(pinned, "DisableForwarding yes")
    remote = remotes.of(pinned.address)
    local = remote.forward_unix(str(echo))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(local))
        remote.close()
        client.settimeout(10)
        assert client.recv(1) == b""
    assert not local.exists()
    assert [pid for pid in descendants(os.getpid()) if _is_ssh(pid)] == []


def _is_ssh(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "(ssh)" in stat and " Z " not in stat


@pytest.mark.parametrize("directive", WITHOUT_FORWARDING)
def test_where_nothing_works_the_directives_are_named(
    pinned: Sshd, remotes: Remotes, echo: Path, directive: str
) -> None:
    restart(pinned, f"{directive}\nSetEnv PATH={_commands(echo.parent, 'sh', 'grep', 'true', 'cat')}")
    with pytest.raises(HostRefused) as refused:
        remotes.of(pinned.address).forward_unix(str(echo), libvirt="qemu:///system")
    assert "DisableForwarding" in str(refused.value)
    assert "none of virt-ssh-helper, nc with -U, ncat and socat is installed" in str(refused.value)


def _commands(directory: Path, *names: str) -> Path:
    """A folder with these commands alone."""
    folder = directory / "commands"
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(f"/usr/bin/{name}")
    return folder


def test_the_first_socket_with_a_listener_is_used(pinned: Sshd, remotes: Remotes, tmp_path: Path) -> None:
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    remote = remotes.of(pinned.address)
    with answering(tmp_path / "modular") as modular:
        assert ask(remote.forward_unix(str(tmp_path / "none"), str(stale), str(modular))) == b"HELLO"


def test_a_socket_that_leads_nowhere_is_refused_with_the_reason(
    pinned: Sshd, remotes: Remotes, tmp_path: Path
) -> None:
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    with pytest.raises(HostRefused, match=f"nothing answers at {stale}"):
        remotes.of(pinned.address).forward_unix(str(stale))


def test_every_socket_that_was_looked_for_is_named(pinned: Sshd, remotes: Remotes) -> None:
    with pytest.raises(HostRefused, match=r"there is no socket /x/libvirt-sock or /x/virtqemud-sock"):
        remotes.of(pinned.address).forward_unix("/x/libvirt-sock", "/x/virtqemud-sock")


@pytest.mark.parametrize("directive", ["", "DisableForwarding yes"])
def test_callers_at_once_get_the_socket_that_each_asked_for(
    pinned: Sshd, remotes: Remotes, tmp_path: Path, directive: str
) -> None:
    """libvirt's and Kea's of one host, for example, when a server starts."""
    restart(pinned, directive)
    remote = remotes.of(pinned.address)
    names = ["one", "two", "three"]
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(answering(tmp_path / name, name.encode()))
        with ThreadPoolExecutor(6) as pool:
            paths = list(pool.map(lambda name: remote.forward_unix(str(tmp_path / name)), names * 2))
        assert [ask(path) for path in paths] == [name.encode() for name in names * 2]
    assert paths[:3] == paths[3:]
