"""Makes a disk of the files of a system, without root, loop device or mount.

mke2fs fills the root file system from a folder, mtools the EFI system partition. Two runs give the same
bytes: all UUIDs, serial numbers and times are given.
"""

import re
import tarfile
from pathlib import Path

from hostloom.images.build_programs import as_root, run
from hostloom.images.disk_layout import (
    BLOCK,
    SECTOR,
    DiskLayout,
    boot_sector,
    layout_for,
    second_stage,
)
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.ports.disk_images import Progress

_BOOT_IMG, _CORE_IMG = "boot/grub/i386-pc/boot.img", "boot/grub/i386-pc/core.img"
_EFI_LOADER = "boot/grub/x86_64-efi/grub.efi"
_FREE_INODES = re.compile(r"^  Free inodes: ?(.*)$", re.MULTILINE)
_GROUP_INODES = re.compile(r"^Inodes per group: +(\d+)$", re.MULTILINE)
#: Features that GRUB 2.06 and kernels of the last ten years know.
_FEATURES = "^orphan_file,^metadata_csum_seed"


class DiskAssembly:
    """One disk, made in the folder `work`."""

    def __init__(self, work: Path, name: str, epoch: int, progress: Progress) -> None:
        self._work, self._name, self._epoch, self._progress = work, name, epoch, progress
        self._tree = work / "tree"
        self._what = f"image {name}"
        self._variables = {
            "SOURCE_DATE_EPOCH": str(epoch),
            "E2FSPROGS_FAKE_TIME": str(epoch),
            "MTOOLSRC": "/dev/null",
            "MTOOLS_SKIP_CHECK": "1",
            "TZ": "UTC",
        }

    def unpack(self, archive: Path) -> DiskLayout:
        """Unpack the system into a folder; the layout that it needs."""
        self.discard()
        self._tree.mkdir()
        self._run(
            *("tar", "-C", str(self._tree), "-xpf", str(archive)),
            *("--numeric-owner", "--xattrs", "--xattrs-include=*", "--exclude=./dev/*"),
        )
        with tarfile.open(archive) as members:
            return layout_for(self._name, (member.size for member in members))

    def write(self, layout: DiskLayout, disk: Path) -> None:
        """Write the disk of the unpacked system."""
        disk.unlink(missing_ok=True)
        with disk.open("wb") as opened:
            opened.truncate(layout.size_bytes)
        self._run(
            "sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", str(disk), script=layout.sfdisk_script()
        )
        self._write_root(layout, disk)
        self._write_loaders(layout, disk)

    def discard(self) -> None:
        """Delete the folder."""
        if self._tree.exists():
            self._run("rm", "-rf", "--one-file-system", str(self._tree))

    def _write_root(self, layout: DiskLayout, disk: Path) -> None:
        options = f"offset={layout.root_offset},root_owner=0:0,hash_seed={layout.hash_seed}"
        self._run(
            *("mke2fs", "-q", "-F", "-t", "ext4", "-b", str(BLOCK), "-U", str(layout.root_uuid)),
            *("-O", _FEATURES, "-E", options, "-d", str(self._tree), str(disk), str(layout.root_blocks)),
        )
        device = f"{disk}?offset={layout.root_offset}"
        listing = self._run("dumpe2fs", device)
        # The inodes have the times at which the folder was filled.
        lines = [
            f"set_inode_field <{inode}> {field} @{self._epoch:#x}"
            for inode in used_inodes(listing)
            for field in ("ctime", "atime", "crtime")
        ]
        self._run("debugfs", "-w", "-f", "-", device, script="\n".join(lines))

    def _write_loaders(self, layout: DiskLayout, disk: Path) -> None:
        with disk.open("r+b") as opened:
            first = opened.read(SECTOR)
            opened.seek(0)
            opened.write(boot_sector(first, self._read(_BOOT_IMG)))
            opened.seek(layout.bios_offset)
            opened.write(second_stage(self._read(_CORE_IMG)))
        partition = f"{disk}@@{layout.efi_offset}"
        loader = self._work / "BOOTX64.EFI"
        loader.write_bytes(self._read(_EFI_LOADER))
        geometry = ("-F", "-T", str(layout.efi_sectors), "-h", "16", "-s", "32", "-N", layout.efi_serial)
        self._run("mformat", "-i", partition, *geometry, "::")
        self._run("mmd", "-i", partition, "::/EFI", "::/EFI/BOOT")
        self._run("mcopy", "-i", partition, str(loader), "::/EFI/BOOT/BOOTX64.EFI")

    def _read(self, path: str) -> bytes:
        try:
            return (self._tree / path).read_bytes()
        except OSError as error:
            raise DiskImageFailed(self._what, f"{path} is not in it: {error.strerror}", "built") from error

    def _run(self, *argv: str, script: str = "") -> str:
        return run(
            as_root(argv),
            self._what,
            progress=self._progress,
            environment=self._variables,
            script=script,
            cwd=self._work,
        )


def used_inodes(listing: str) -> list[int]:
    """The inodes in use, of the output of dumpe2fs."""
    match = _GROUP_INODES.search(listing)
    if match is None:
        raise ValueError("dumpe2fs does not say how many inodes a group has")
    per_group = int(match[1])
    groups = _FREE_INODES.findall(listing)
    free = [part for group in groups for part in group.split(", ") if part]
    unused: set[int] = set()
    for part in free:
        first, _, last = part.partition("-")
        unused.update(range(int(first), int(last or first) + 1))
    return [inode for inode in range(1, per_group * len(groups) + 1) if inode not in unused]
