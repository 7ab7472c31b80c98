"""A libvirtd of the tests' own: its test driver's state outlives a client, and as root it runs real QEMU."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 30
#: Sockets of the machine's own libvirtd, its networks and its guests stay out of sight: all is private here.
INIT = """\
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind {directory} /mnt
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/libvirt /run/user
mount --bind /mnt/run /run/libvirt
mount --bind /mnt/etc /etc/libvirt
mount --bind /mnt/lib /var/lib/libvirt
mount --bind /mnt/log /var/log/libvirt
mount --bind /mnt/cache /var/cache/libvirt
mkdir -p /var/lib/libvirt/images /var/lib/libvirt/qemu /var/log/libvirt/qemu /var/cache/libvirt/qemu
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
/usr/sbin/libvirtd &
wait $!
"""
LIBVIRTD = """\
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
"""
QEMU = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
remember_owner = 0
"""


@dataclass(frozen=True)
class Libvirtd:
    """A libvirtd that runs."""

    directory: Path
    process: "subprocess.Popen[bytes]"
    socket: Path

    @property
    def test_uri(self) -> str:
        """Its test driver; the state is gone when the last client is."""
        return f"test+unix:///default?socket={self.socket}"

    @property
    def qemu_uri(self) -> str:
        """Its QEMU driver."""
        return f"qemu+unix:///system?socket={self.socket}"

    def libvirt_uri(self, uri: str) -> str:
        """As it is: its socket is on this machine."""
        return uri

    def read_file(self, _uri: str, path: str, limit_bytes: int) -> str:
        """The end of a file as libvirtd sees it."""
        seen = self.seen(path)
        return seen.read_text(errors="replace")[-limit_bytes:] if seen.exists() else ""

    def remove_files(self, _uri: str, *paths: str) -> None:
        """Remove files as libvirtd sees them."""
        for path in paths:
            self.seen(path).unlink(missing_ok=True)

    def forget(self, uri: str) -> None:
        """Nothing was opened on the way."""

    def seen(self, path: str) -> Path:
        """Where a log of libvirtd's is for us."""
        return Path(path.replace("/var/log/libvirt", str(self.directory / "log"), 1))


@contextlib.contextmanager
def running_libvirtd() -> Iterator[Libvirtd]:
    """As root in namespaces of its own; else as the user's own libvirtd, in a directory of ours."""
    # Not pytest's directory: the path of a socket is at most 107 bytes long.
    with tempfile.TemporaryDirectory(prefix="hostloom-virt-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        argv, environ, socket = _as_root(directory) if os.geteuid() == 0 else _as_user(directory)
        log = (directory / "init.log").open("w")
        process = subprocess.Popen(
            argv, env=os.environ | environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _wait(process, socket, directory / "init.log")
            yield Libvirtd(directory, process, socket)
        finally:
            process.kill()
            process.wait()
            log.close()


def _as_root(directory: Path) -> tuple[list[str], dict[str, str], Path]:
    for each in ("etc", "lib", "log", "cache", "run"):
        (directory / each).mkdir()
    filters = Path("/etc/libvirt/nwfilter")
    if filters.is_dir():
        shutil.copytree(filters, directory / "etc/nwfilter")
    (directory / "etc/libvirtd.conf").write_text(LIBVIRTD)
    (directory / "etc/qemu.conf").write_text(QEMU)
    script = INIT.format(directory=directory)
    unshare = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
    return [*unshare, "bash", "-c", script], {}, directory / "run/libvirt-sock"


def _as_user(directory: Path) -> tuple[list[str], dict[str, str], Path]:
    environ = {f"XDG_{each}": str(directory) for each in ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME")}
    return ["/usr/sbin/libvirtd"], environ, directory / "libvirt/libvirt-sock"


def _wait(process: "subprocess.Popen[bytes]", socket: Path, log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < until:
        uri = f"test+unix:///default?socket={socket}"
        done = subprocess.run(["virsh", "-c", uri, "uri"], capture_output=True)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError(f"libvirtd does not answer: {log.read_text()}")
