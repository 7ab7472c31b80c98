import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.model.errors.outside import HostRefused, HostUnreachable
from hostloom.remote import host, ssh
from hostloom.remote.address import SshAddress
from hostloom.remote.connection import Remotes
from hostloom.remote.keys import PinnedKeys
from support.echo import answering, ask
from support.sshd import Sshd, descendants, free_port, make_key
from support.waiting import wait_until

#: A call to a host that hangs would end by itself after this time, and fail its test.
HANG_S = 120.0


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    """A listener that takes connections and answers nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        listener.settimeout(HANG_S)
        yield listener


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Path]:
    with answering(tmp_path / "echo") as path:
        yield path


def masters() -> list[int]:
    """The ssh processes that we hold open."""
    found = []
    for pid in descendants(os.getpid()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if command[0] == b"ssh" and b"ControlMaster=yes" in command:
            found.append(pid)
    return found


def test_a_command_runs_with_its_arguments_as_they_are(pinned: Sshd, remotes: Remotes) -> None:
    argv = ["printf", "%s|", "a b", "$HOME", "it's", "*", "", "-n", "ü\n"]
    done = remotes.of(pinned.address).run(argv)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "a b|$HOME|it's|*||-n|ü\n|", "")


@pytest.mark.parametrize("code", [1, 3, 127, 255])
def test_a_non_zero_exit_is_a_result(pinned: Sshd, remotes: Remotes, code: int) -> None:
    done = remotes.of(pinned.address).run(["sh", "-c", f"echo out; echo err >&2; exit {code}"])
    assert (done.exit_code, done.stdout, done.stderr) == (code, "out\n", "err\n")


def test_all_commands_share_one_connection(pinned: Sshd, remotes: Remotes) -> None:
    remote = remotes.of(pinned.address)
    peers = {remote.run(["sh", "-c", "echo $SSH_CONNECTION"]).stdout for _ in range(3)}
    assert len(peers) == 1
    assert len(masters()) == 1


def test_more_calls_at_once_than_sshd_allows_sessions(pinned: Sshd, remotes: Remotes) -> None:
    remote = remotes.of(pinned.address)
    with ThreadPoolExecutor(20) as pool:
        peers = set(pool.map(lambda _: remote.run(["sh", "-c", "echo $SSH_CONNECTION"]).stdout, range(20)))
    assert len(peers) == 1


def test_a_forwarded_socket_reaches_the_host(pinned: Sshd, remotes: Remotes, echo: Path) -> None:
    remote = remotes.of(pinned.address)
    local = remote.forward_unix(str(echo))
    assert ask(local) == b"HELLO"
    assert remote.forward_unix(str(echo)) == local
    assert local.parent.stat().st_mode & 0o077 == 0


def test_a_socket_that_is_not_there(pinned: Sshd, remotes: Remotes, tmp_path: Path) -> None:
    with pytest.raises(HostRefused, match="there is no socket"):
        remotes.of(pinned.address).forward_unix(str(tmp_path / "none"))


def test_libvirt_gets_a_local_socket(pinned: Sshd, remotes: Remotes, echo: Path) -> None:
    uri = remotes.libvirt_uri(f"{pinned.uri}&socket={echo}")
    assert uri.startswith("qemu+unix:///system?socket=/")
    assert ask(Path(uri.partition("socket=")[2])) == b"HELLO"


def test_uris_without_ssh_stay_as_they_are(remotes: Remotes) -> None:
    for uri in ("qemu:///system", "qemu+tls://h/system", "test:///default"):
        assert remotes.libvirt_uri(uri) == uri


def test_files_are_read_from_their_end(pinned: Sshd, remotes: Remotes, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("first\nlast\n")
    assert remotes.read_file(pinned.uri, str(tmp_path / "log"), 5) == "last\n"
    assert remotes.read_file("qemu:///system", str(tmp_path / "log"), 5) == "last\n"
    assert remotes.read_file(pinned.uri, str(tmp_path / "none"), 5) == ""


def test_a_host_without_ssh_never_gets_a_file_of_ours(remotes: Remotes, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("ours")
    with pytest.raises(HostRefused, match="over SSH only"):
        remotes.read_file("qemu+tls://kvm1.example/system", str(tmp_path / "log"), 5)


def test_it_heals_after_the_master_died(pinned: Sshd, remotes: Remotes, echo: Path) -> None:
    remote = remotes.of(pinned.address)
    remote.forward_unix(str(echo))
    (master,) = masters()
    os.kill(master, signal.SIGKILL)
    assert remote.run(["echo", "back"]).stdout == "back\n"
    assert ask(remote.forward_unix(str(echo))) == b"HELLO"
    assert masters() != [master]


def test_it_heals_after_the_host_rebooted(pinned: Sshd, remotes: Remotes, echo: Path) -> None:
    remote = remotes.of(pinned.address)
    remote.forward_unix(str(echo))
    pinned.stop()
    with pytest.raises(HostUnreachable):
        remote.run(["true"])
    pinned.start()
    assert remote.run(["echo", "back"]).stdout == "back\n"
    assert ask(remote.forward_unix(str(echo))) == b"HELLO"


def test_a_connection_lost_in_a_command_is_no_result(pinned: Sshd, remotes: Remotes) -> None:
    remote = remotes.of(pinned.address)
    remote.run(["true"])
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(remote.run, ["sleep", "60"])
        wait_until(lambda: "sleep" in programs(), "the command runs")
        pinned.stop()
        assert isinstance(call.exception(), HostUnreachable)


def test_a_command_past_its_time(pinned: Sshd, remotes: Remotes) -> None:
    remote = remotes.of(pinned.address)
    remote.run(["true"])
    with pytest.raises(HostUnreachable, match=r"sleep: no answer within 0\.\d+ s"):
        remote.run(["sleep", "60"], 0.5)
    assert "sleep" in programs(), "the call waited for the end of the command"
    assert remote.run(["echo", "on"]).stdout == "on\n"
    pinned.stop()  # and with it the command, which would outlive the connection


def test_wrong_credentials(pinned: Sshd, remotes: Remotes, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    address = SshAddress("127.0.0.1", pinned.address.user, pinned.port, str(tmp_path / "stranger"))
    with pytest.raises(HostRefused, match=r"Permission denied \(publickey\)"):
        remotes.of(address).run(["true"])


def test_a_key_file_that_is_not_there_is_named(pinned: Sshd, remotes: Remotes, tmp_path: Path) -> None:
    address = SshAddress("127.0.0.1", pinned.address.user, pinned.port, str(tmp_path / "nowhere"))
    with pytest.raises(HostRefused, match="nowhere"):
        remotes.of(address).run(["true"])


def test_no_server_listens(pinned: Sshd, remotes: Remotes) -> None:
    pinned.stop()
    with pytest.raises(HostUnreachable, match="Connection refused"):
        remotes.of(pinned.address).run(["true"])


def test_a_host_that_hangs_does_not_slow_another(
    pinned: Sshd,
    remotes: Remotes,
    keys: PinnedKeys,
    black_hole: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first call hangs until the test ends its connection; everything before that did not wait for it."""
    monkeypatch.setitem(ssh._FIXED, "ConnectTimeout", f"{HANG_S:.0f}")
    monkeypatch.setattr(host, "LOGIN_TIMEOUT_S", HANG_S)
    port = black_hole.getsockname()[1]
    keys.pin(f"qemu+ssh://root@127.0.0.1:{port}/system", keys.offered(pinned.uri)[0])
    hanging = remotes.of(SshAddress("127.0.0.1", "root", port))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hanging.run, ["true"], HANG_S)
        with black_hole.accept()[0]:
            assert remotes.of(pinned.address).run(["true"]).exit_code == 0
            for _ in range(3):
                with pytest.raises(HostUnreachable, match="earlier calls to it still wait"):
                    hanging.run(["true"], 0.1)
            assert not first.done()
        assert isinstance(first.exception(), HostUnreachable)


def test_closing_leaves_no_process_and_no_file(pinned: Sshd, keys: PinnedKeys, echo: Path) -> None:
    remotes = Remotes(keys)
    local = remotes.of(pinned.address).forward_unix(str(echo))
    directory = local.parent.parent
    remotes.close()
    assert masters() == []
    assert not directory.exists()


def test_a_forgotten_host_is_disconnected(pinned: Sshd, remotes: Remotes) -> None:
    remotes.of(pinned.address).run(["true"])
    remotes.forget(pinned.uri)
    assert masters() == []


def test_a_host_that_is_no_longer_managed_is_disconnected(
    pinned: Sshd, remotes: Remotes, echo: Path, tmp_path: Path
) -> None:
    """Two URIs that lead to two sockets of one host share its connection: the last one closes it."""
    other = tmp_path / "other"
    other.symlink_to(echo)
    uris = [f"{pinned.uri}&socket={each}" for each in (echo, other)]
    hypervisors = LibvirtHypervisors(remotes)
    for uri in uris:
        assert ask(Path(remotes.libvirt_uri(uri).partition("socket=")[2])) == b"HELLO"
        hypervisors.of("kvm", uri)
    assert len(masters()) == 1
    hypervisors.forget(uris[0])
    assert ask(Path(remotes.libvirt_uri(uris[1]).partition("socket=")[2])) == b"HELLO"
    hypervisors.forget(uris[1])
    assert masters() == []


def test_files_are_removed_and_may_be_gone(pinned: Sshd, remotes: Remotes, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "-a file", tmp_path / "theirs"
    ours.touch()
    theirs.touch()
    for _ in range(2):
        remotes.remove_files(pinned.uri, str(ours), f"{ours}.0")
        assert list(tmp_path.glob("*-a file*")) == []
    assert theirs.exists()
    with pytest.raises(HostRefused, match="directory"):
        remotes.remove_files(pinned.uri, str(tmp_path))
    with pytest.raises(HostRefused, match="SSH only"):
        remotes.remove_files("qemu+tls://kvm1/system", str(theirs))
    remotes.remove_files("qemu:///system", str(theirs))
    assert not theirs.exists()


def test_an_idle_connection_is_closed_unless_a_socket_goes_through_it(
    pinned: Sshd, remotes: Remotes, echo: Path
) -> None:
    remote = remotes.of(pinned.address)
    remote.run(["true"])
    remote.close_if_idle(60)
    assert len(masters()) == 1
    remote.close_if_idle(0)
    assert masters() == []
    remote.forward_unix(str(echo))
    remote.close_if_idle(0)
    assert ask(remote.forward_unix(str(echo))) == b"HELLO"


def test_no_connection_outlives_a_killed_server(pinned: Sshd, tmp_path: Path) -> None:
    code = f"""
        import os, time
        from hostloom.remote.address import ssh_address
        from hostloom.remote.connection import Remotes
        from hostloom.remote.keys import PinnedKeys
        from hostloom.store.engine import open_store
        remotes = Remotes(PinnedKeys(open_store({f"sqlite:///{tmp_path}/hostloom.db"!r})))
        remotes.of(ssh_address({pinned.uri!r})).run(["true"])
        print("ready", flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        (master,) = (pid for pid in descendants(server.pid) if comm(pid) == "ssh")
        server.kill()
        server.wait()
        wait_until(lambda: comm(master) != "ssh", "the connection has ended")


def programs() -> set[str]:
    """What runs below this process, which includes the server and its commands."""
    return {comm(pid) for pid in descendants(os.getpid())}


def comm(pid: int) -> str:
    """The program of a process that runs, zombies not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return "" if rest.split()[0] == "Z" else name


def test_an_unused_port_as_a_new_host(remotes: Remotes) -> None:
    port = free_port()
    with pytest.raises(HostUnreachable, match=f"no SSH server presents a key on its port {port}$"):
        remotes.of(SshAddress("127.0.0.1", "root", port)).run(["true"])
