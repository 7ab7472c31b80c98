"""Disks that are made of a few files, and read back."""

import io
import os
import subprocess
import sys
import tarfile
import time
from hashlib import sha256
from pathlib import Path

import pytest

from hostloom.images.build_programs import run
from hostloom.images.disk_assembly import DiskAssembly
from hostloom.images.disk_layout import DiskLayout
from hostloom.images.inside import inspect_disk
from hostloom.model.disk_image import BootMode
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.server import Cancelled
from support.made_disks import DEBIAN_FILES
from support.waiting import wait_until

EPOCH = 1_686_355_200
LOADERS: dict[str, str | bytes] = {
    "boot/grub/i386-pc/boot.img": b"\xeb" * 512,
    "boot/grub/i386-pc/core.img": b"core" * 1000,
    "boot/grub/x86_64-efi/grub.efi": b"MZ loader",
}
#: Names that hash into many blocks of a folder, in no order of theirs.
MANY: dict[str, str | bytes] = {f"usr/share/many/{number * 7919 % 500:03}": "x" for number in range(500)}


def pack(archive: Path, files: dict[str, str | bytes], *, reverse: bool = False) -> Path:
    """A tar archive as mmdebstrap makes it, or one in the reverse order."""
    with tarfile.open(archive, "w") as packed:
        device = tarfile.TarInfo("./dev/null")
        device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
        packed.addfile(device)
        for name, text in sorted(files.items(), reverse=reverse):
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mtime, member.mode = len(content), EPOCH - 1000, 0o755
            packed.addfile(member, io.BytesIO(content))
    return archive


def make(folder: Path, archive: Path, name: str = "debian-12") -> tuple[Path, DiskLayout]:
    folder.mkdir(exist_ok=True)
    assembly = DiskAssembly(folder, name, EPOCH, lambda _done, _total: None)
    layout = assembly.unpack(archive)
    # Folders that the archive does not name have the time at which they are made.
    subprocess.run(["find", folder / "tree", "-type", "d", "-exec", "touch", "-d@0", "{}", "+"], check=True)
    assembly.write(layout, folder / "disk")
    assembly.discard()
    return folder / "disk", layout


def debugfs(disk: Path, layout: DiskLayout, request: str) -> str:
    argv = ["/usr/sbin/debugfs", "-R", request, f"{disk}?offset={layout.root_offset}"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_disk_has_its_files_and_starts_by_bios_and_uefi(tmp_path: Path) -> None:
    disk, layout = make(tmp_path / "a", pack(tmp_path / "tar", DEBIAN_FILES | LOADERS))
    content = inspect_disk(disk)
    assert (content.os, content.release, content.has_kvm) == ("debian", "12", True)
    assert (content.boot_modes, content.architecture) == ((BootMode.BIOS, BootMode.UEFI), "amd64")
    assert content.warnings == ()
    argv = ["/usr/sbin/e2fsck", "-fn", f"{disk}?offset={layout.root_offset}"]
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 0
    assert "null" not in debugfs(disk, layout, "ls /dev")
    argv = ["/usr/sbin/sfdisk", "--verify", str(disk)]
    assert b"No errors detected" in subprocess.run(argv, capture_output=True, check=True).stdout
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["BOOTX64.EFI", "disk"]


def test_equal_files_give_equal_disks_at_any_time_and_in_any_order(tmp_path: Path) -> None:
    files = DEBIAN_FILES | LOADERS | MANY
    first, _ = make(tmp_path / "a", pack(tmp_path / "tar-a", files))
    second_began = int(time.time())
    while int(time.time()) == second_began:  # inodes have times in seconds
        pass
    second, layout = make(tmp_path / "b", pack(tmp_path / "tar-b", files, reverse=True))
    assert sha256(first.read_bytes()).digest() == sha256(second.read_bytes()).digest()
    assert f"ctime: {EPOCH:#x}" in debugfs(second, layout, "stat /usr/share/many/007")


def test_a_system_without_boot_loader_makes_no_disk(tmp_path: Path) -> None:
    with pytest.raises(
        DiskImageFailed, match=r"image x cannot be built: boot/grub/i386-pc/boot.img is not in it"
    ):
        make(tmp_path / "a", pack(tmp_path / "tar", DEBIAN_FILES), "x")


def test_a_damaged_archive_is_refused_with_the_program_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "tar").write_bytes(b"no archive" * 1000)
    with pytest.raises(DiskImageFailed, match="image x cannot be built: tar: "):
        make(tmp_path / "a", tmp_path / "tar", "x")


def is_running(command: str) -> bool:
    return subprocess.run(["pgrep", "-fx", command], capture_output=True, check=False).returncode == 0


def test_a_cancellation_ends_a_program_and_what_it_started() -> None:
    child = f"sleep 600.{os.getpid()}"

    def cancel(_done: int, _total: int | None) -> None:
        if is_running(child):
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        run(["sh", "-c", f"{child} & wait"], "a test", progress=cancel)
    assert not is_running(child)


@pytest.mark.skipif(os.geteuid() != 0, reason="what other users start is in no PID namespace")
def test_a_program_and_what_it_started_end_with_the_server() -> None:
    child = f"sleep 601.{os.getpid()}"
    assert_ends_with_the_server(
        child,
        "from hostloom.images.build_programs import run\n"
        f"run(['sh', '-c', 'setsid {child} & wait'], 'a test', progress=lambda *_: None)\n",
    )


def test_a_program_that_reads_an_image_ends_with_the_server() -> None:
    child = f"sleep 602.{os.getpid()}"
    assert_ends_with_the_server(
        child,
        "from hostloom.images.limits import Confined, read_output\n"
        f"read_output({child.split()}, Confined())\n",
    )


def assert_ends_with_the_server(child: str, code: str) -> None:
    server = subprocess.Popen([sys.executable, "-c", code])
    while not is_running(child):
        assert server.poll() is None
    server.kill()
    server.wait()
    wait_until(lambda: not is_running(child), "the program has ended")
