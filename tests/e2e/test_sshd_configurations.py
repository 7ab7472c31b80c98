"""A host is managed wherever `virsh` on the same login works: through real sshd configurations of the lab."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.rig import Rig

PORT = 2202
CONFIG = """\
Port {port}
ListenAddress {address}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/authorized_keys
PidFile {folder}/pid
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin yes
{directives}
"""
#: Hides /run/libvirt from what follows but for a socket that has the name of a modular daemon's.
MODULAR = """\
mkdir -p {folder}/libvirt && mount --bind /run/libvirt {folder}/libvirt && mount -t tmpfs tmpfs /run/libvirt
ln -s {folder}/libvirt/libvirt-sock /run/libvirt/virtqemud-sock
exec /usr/sbin/sshd -f {folder}/config
"""


@dataclass
class SecondSshd:
    """Another sshd on kvm2, in front of the same libvirt."""

    rig: Rig
    folder: Path

    @property
    def uri(self) -> str:
        return f"qemu+ssh://root@{self.rig.lab.host('kvm2').address.ip}:{PORT}/system"

    def start(self, directives: str = "", *, modular: bool = False) -> None:
        """Run it on the host, with these lines in its configuration."""
        self.folder.mkdir(exist_ok=True)
        address = self.rig.lab.host("kvm2").address.ip
        config = CONFIG.format(
            port=PORT,
            address=address,
            directory=self.folder.parent,
            folder=self.folder,
            directives=directives,
        )
        (self.folder / "config").write_text(config)
        (self.folder / "modular.sh").write_text(MODULAR.format(folder=self.folder))
        how = ["unshare", "-m", "--propagation", "private", "sh", str(self.folder / "modular.sh")]
        self.on_host(*(how if modular else ["/usr/sbin/sshd", "-f", str(self.folder / "config")]))

    def stop(self) -> None:
        self.on_host("sh", "-c", f"'kill $(cat {self.folder}/pid)'")

    def on_host(self, *words: str) -> None:
        login = ["ssh", "-F", str(self.rig.lab.ssh_config), "-o", "StrictHostKeyChecking=no"]
        known = ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        argv = self.rig.lab.in_rack([*login, *known, "kvm2", *words])
        subprocess.run(argv, check=True, capture_output=True, timeout=60)


@pytest.fixture
def sshd(rig: Rig) -> Iterator[SecondSshd]:
    uri = rig.lab.uri_ssh("kvm2")
    server = SecondSshd(rig, rig.lab.plan.directory / "kvm2" / "second-sshd")
    yield server
    rig.run("host", "update", "kvm2", "--uri", uri, "--accept-key", rig.key_of("kvm2"))
    _wait_until_read(rig)
    server.stop()


def _wait_until_read(rig: Rig) -> None:
    """The refresh that follows a new URI is over."""
    until = time.monotonic() + 60
    while any(operation["state"] in ("waiting", "running") for operation in rig.list("operation")):
        assert time.monotonic() < until
        time.sleep(0.2)


def _manage_through(rig: Rig, sshd: SecondSshd) -> None:
    rig.run("host", "update", "kvm2", "--uri", sshd.uri, "--accept-key", rig.key_of("kvm2"))
    _wait_until_read(rig)
    rig.run("host", "refresh", "kvm2")
    shown = rig.get("host", "show", "kvm2")
    assert (shown["reachable"], shown["uri"]) == (True, sshd.uri)


@pytest.mark.parametrize("directive", ["AllowTcpForwarding no", "DisableForwarding yes", "MaxSessions 1"])
def test_an_sshd_that_forwards_nothing(sshd: SecondSshd, rig: Rig, directive: str) -> None:
    sshd.start(directive)
    _manage_through(rig, sshd)


def test_modular_daemons_without_the_proxy(sshd: SecondSshd, rig: Rig) -> None:
    sshd.start(modular=True)
    _manage_through(rig, sshd)
