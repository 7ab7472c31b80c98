"""Where everything is on a disk that is built: GPT, GRUB for BIOS, EFI system partition, root file system.

Pure arithmetic. The root file system is the last partition, so that growpart can grow it.
"""

import struct
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

SECTOR, BLOCK, MIB = 512, 4096, 2**20
_SECTORS_OF_MIB = MIB // SECTOR
_BIOS_START, _BIOS_SECTORS = _SECTORS_OF_MIB, _SECTORS_OF_MIB
_EFI_START, _EFI_SECTORS = 2 * _SECTORS_OF_MIB, 64 * _SECTORS_OF_MIB
_ROOT_START = _EFI_START + _EFI_SECTORS
_BIOS_TYPE = "21686148-6449-6E6F-744E-656564454649"
_EFI_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#: "Linux root (x86-64)" of the Discoverable Partitions Specification.
_ROOT_TYPE = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
#: UUIDs of parts of built disks are derived from this one.
_NAMESPACE = uuid.UUID("6c9f2f5c-0b62-4b6c-9a2e-5f1f3a3d7c11")
#: Of the root file system: inode tables, journal, blocks reserved for root, and room for a first boot.
_SLACK, _SLACK_BYTES = 1.25, 192 * MIB
#: Sizes are multiples of this, so that small updates of packages do not change the size.
_SIZE_STEP = 64 * MIB
#: Of an inode, its share of a folder, and its extended attributes.
_FILE_OVERHEAD = 512
#: Offsets in GRUB's boot.img and diskboot.img (grub-core/boot/i386/pc): addresses of what they load, the
#: drive (0xff: the one that the BIOS started), and the place of a check of the drive that is left out.
_KERNEL_SECTOR, _BOOT_DRIVE, _DRIVE_CHECK = 0x5C, 0x64, 0x66
_FIRST_BLOCK_LIST = SECTOR - 12
#: The partition table begins here in the first sector, preceded by the disk's signature.
_BOOT_CODE_BYTES = 440


@dataclass(frozen=True)
class DiskLayout:
    """The layout of one disk; equal names give equal UUIDs."""

    name: str
    size_bytes: int

    @property
    def efi_offset(self) -> int:
        """Where the EFI system partition begins."""
        return _EFI_START * SECTOR

    @property
    def efi_sectors(self) -> int:
        """Size of the EFI system partition."""
        return _EFI_SECTORS

    @property
    def efi_serial(self) -> str:
        """Serial number of its file system, as mformat expects it."""
        return self._uuid("efi-serial").hex[:8]

    @property
    def bios_offset(self) -> int:
        """Where GRUB's second stage is."""
        return _BIOS_START * SECTOR

    @property
    def root_offset(self) -> int:
        """Where the root file system begins."""
        return _ROOT_START * SECTOR

    @property
    def root_blocks(self) -> int:
        """Blocks of the root file system: sfdisk aligns its partition's end down to a MiB before the end."""
        end = (self.size_bytes // MIB - 1) * MIB
        return (end - self.root_offset) // BLOCK

    @property
    def root_uuid(self) -> uuid.UUID:
        """UUID of the root file system."""
        return self._uuid("root")

    @property
    def hash_seed(self) -> uuid.UUID:
        """Seed of the hashes in its folders."""
        return self._uuid("hash-seed")

    def sfdisk_script(self) -> str:
        """The partition table, as sfdisk reads it."""
        return "\n".join(
            (
                "label: gpt",
                f"label-id: {self._uuid('disk')}",
                self._partition(14, "bios", _BIOS_TYPE, _BIOS_START, _BIOS_SECTORS),
                self._partition(15, "efi", _EFI_TYPE, _EFI_START, _EFI_SECTORS),
                self._partition(
                    1, "root-partition", _ROOT_TYPE, _ROOT_START, self.root_blocks * (BLOCK // SECTOR)
                ),
                "",
            )
        )

    def _partition(self, number: int, name: str, kind: str, start: int, sectors: int) -> str:
        return f"{number}: start={start}, size={sectors}, type={kind}, uuid={self._uuid(name)}"

    def _uuid(self, part: str) -> uuid.UUID:
        return uuid.uuid5(_NAMESPACE, f"{self.name}/{part}")


def layout_for(name: str, file_sizes: Iterable[int]) -> DiskLayout:
    """The layout for a root file system with files (and folders) of these sizes in bytes."""
    needed = sum(-(-size // BLOCK) * BLOCK + _FILE_OVERHEAD for size in file_sizes)
    size = _ROOT_START * SECTOR + int(needed * _SLACK) + _SLACK_BYTES
    return DiskLayout(name, -(-size // _SIZE_STEP) * _SIZE_STEP)


def boot_sector(first_sector: bytes, boot_img: bytes) -> bytes:
    """The first sector with GRUB's boot.img, which loads the second stage; the partition table stays."""
    sector = bytearray(boot_img[:_BOOT_CODE_BYTES] + first_sector[_BOOT_CODE_BYTES:SECTOR])
    struct.pack_into("<Q", sector, _KERNEL_SECTOR, _BIOS_START)
    sector[_BOOT_DRIVE] = 0xFF
    sector[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    return bytes(sector)


def second_stage(core_img: bytes) -> bytes:
    """GRUB's core.img for its place on the disk; ValueError if it is too large."""
    if not SECTOR < len(core_img) <= _BIOS_SECTORS * SECTOR:
        raise ValueError(f"core.img has {len(core_img)} bytes, and {_BIOS_SECTORS * SECTOR} fit")
    stage = bytearray(core_img)
    struct.pack_into("<Q", stage, _FIRST_BLOCK_LIST, _BIOS_START + 1)
    return bytes(stage)
