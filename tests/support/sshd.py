"""A real sshd on a port of its own, with its own keys and configuration."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from hostloom.remote.address import SshAddress

CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


class Sshd:
    """An SSH server that lets in the current user with one key."""

    def __init__(self, directory: Path) -> None:
        program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        assert program, "sshd is not installed: these tests need openssh-server"
        self.program, self.directory = program, directory
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        make_key(directory / "user_key")
        self.renew_host_key()
        self.configure("")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True, mode=0o755)

    @property
    def address(self) -> SshAddress:
        return SshAddress("127.0.0.1", getpass.getuser(), self.port, str(self.directory / "user_key"))

    @property
    def uri(self) -> str:
        key = self.directory / "user_key"
        return f"qemu+ssh://{getpass.getuser()}@127.0.0.1:{self.port}/system?keyfile={key}"

    def renew_host_key(self, kind: str = "ed25519") -> None:
        """As after a reinstallation."""
        make_key(self.directory / "host_key", kind)

    def configure(self, directives: str) -> None:
        """Have these lines in its configuration from its next start on."""
        config = CONFIG.format(port=self.port, directory=self.directory)
        (self.directory / "sshd_config").write_text(f"{config}{directives}\n")

    def start(self) -> None:
        with (self.directory / "sshd.log").open("ab") as log:
            argv = [self.program, "-D", "-e", "-f", str(self.directory / "sshd_config")]
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 10
        while not is_listening(self.port):
            words = (self.directory / "sshd.log").read_text()
            assert self._process.poll() is None, f"sshd ended: {words}"
            assert time.monotonic() < until, f"sshd does not listen: {words}"
            time.sleep(0.02)

    def stop(self) -> None:
        """Pull the plug: the listener and every connection."""
        if self._process is not None:
            for pid in [self._process.pid, *descendants(self._process.pid)]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self._process.wait()
            self._process = None


def make_key(path: Path, kind: str = "ed25519") -> None:
    for each in (path, path.with_name(f"{path.name}.pub")):
        each.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found
