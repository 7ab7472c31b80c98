"""The Debian of `hostloom image build debian-12`: BIOS and UEFI start it, and cloud-init lets its user in."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from hostloom.images.seed_disk import MtoolsSeedDisks
from hostloom_lab.disk_image import built_image
from support.sshd import free_port

pytestmark = pytest.mark.lab

MAC = "52:54:00:12:34:56"
OVMF = Path("/usr/share/OVMF")
#: Emulated machines beside others take their time.
BOOT_TIMEOUT_S = 400.0
NETWORK = {
    "version": 2,
    "ethernets": {"nic0": {"match": {"macaddress": MAC}, "set-name": "nic0", "dhcp4": True}},
}


class Guest:
    """An emulated machine with a copy of the image on a larger disk."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._folder, self._process, self._port = folder, process, port

    @property
    def console(self) -> str:
        file = self._folder / "console"
        return file.read_text(errors="replace") if file.exists() else ""

    def ssh(self, command: str) -> "subprocess.CompletedProcess[str]":
        options = [
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "ConnectTimeout=5",
        ]
        argv = ["ssh", "-q", "-i", str(self._folder / "key"), "-p", str(self._port)]
        argv += [word for option in options for word in ("-o", option)]
        argv += ["debian@127.0.0.1", command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        while not is_so():
            assert self._process.poll() is None, self.console[-2000:]
            assert time.monotonic() < deadline, self.console[-2000:]
            time.sleep(0.5)


def _seed(folder: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    key = (folder / "key.pub").read_text().strip()
    files = {
        "meta-data": "instance-id: first\nlocal-hostname: web\n",
        "user-data": f"#cloud-config\nssh_authorized_keys: [{json.dumps(key)}]\n",
        "network-config": json.dumps(NETWORK),
    }
    (folder / "seed").write_bytes(MtoolsSeedDisks().build(files))
    return folder / "seed"


@contextmanager
def running(folder: Path, *, uefi: bool) -> Iterator[Guest]:
    """A machine with two processors; it is killed at the end."""
    disk, port = folder / "disk", free_port()
    image = ["-b", str(built_image()), "-F", "qcow2", str(disk), "4G"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *image], check=True)
    argv = ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max", "-smp", "2", "-m", "1024"]
    argv += ["-display", "none", "-monitor", "none", "-serial", f"file:{folder / 'console'}"]
    if uefi:
        shutil.copyfile(OVMF / "OVMF_VARS_4M.fd", folder / "variables")
        code = f"if=pflash,format=raw,readonly=on,file={OVMF / 'OVMF_CODE_4M.fd'}"
        argv += ["-drive", code, "-drive", f"if=pflash,format=raw,file={folder / 'variables'}"]
    argv += ["-drive", f"if=virtio,format=qcow2,file={disk}"]
    argv += ["-drive", f"if=virtio,format=raw,readonly=on,file={_seed(folder)}"]
    argv += ["-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:22"]
    argv += ["-device", f"virtio-net-pci,netdev=n,mac={MAC}"]
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(argv))
        stack.callback(process.kill)
        yield Guest(folder, process, port)


def test_bios_starts_it_and_its_user_logs_in(tmp_path: Path) -> None:
    with running(tmp_path, uefi=False) as guest:
        guest.wait_until(lambda: guest.ssh("true").returncode == 0)
        status = guest.ssh("cloud-init status --wait --long")
        assert (status.returncode, "status: done" in status.stdout) == (0, True), status.stdout
        assert guest.ssh("hostname").stdout == "web\n"
        assert guest.ssh("systemctl --failed --no-legend").stdout == ""
        # The root file system has grown to the disk, and belongs to this machine alone.
        assert int(guest.ssh("df --output=size -BM / | tail -1").stdout.strip(" M\n")) > 3500
        assert len(guest.ssh("cat /etc/machine-id").stdout.strip()) == 32
        assert guest.ssh("sudo cut -d: -f2 /etc/shadow | grep -c '[$]'").stdout == "0\n"
        assert guest.ssh("ls /sys/class/net").stdout.split() == ["lo", "nic0"]


def test_uefi_starts_it(tmp_path: Path) -> None:
    with running(tmp_path, uefi=True) as guest:
        guest.wait_until(lambda: "Reached target" in guest.console)
        assert "EFI v2" in guest.console
