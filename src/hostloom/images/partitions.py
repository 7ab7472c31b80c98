"""Reads partition tables (GPT and MBR) of a raw disk.

GPT is described in the UEFI specification, chapter 5.
"""

import struct
import uuid
from dataclasses import dataclass
from typing import BinaryIO

from hostloom.images.disk_formats import SECTOR

#: Partitions that are read at most.
MAX_PARTITIONS = 128
BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
_PROTECTIVE, _EFI, _EXTENDED = 0xEE, 0xEF, (0x05, 0x0F, 0x85)


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition."""

    start_bytes: int
    size_bytes: int
    #: GUID of the type in lower case, or the type of an MBR as two hexadecimal digits.
    kind: str

    @property
    def is_efi_system(self) -> bool:
        """Whether firmware looks for loaders in it."""
        return self.kind in (EFI_SYSTEM, f"{_EFI:02x}")


@dataclass(frozen=True, slots=True)
class PartitionTable:
    """The partitions of a disk, in the order of the table."""

    is_gpt: bool
    #: The first sector contains a program, which a BIOS starts.
    has_boot_code: bool
    partitions: tuple[Partition, ...]


def read_partitions(disk: BinaryIO, size_bytes: int) -> PartitionTable | None:
    """The partition table; None if there is none. Partitions outside the disk are left out."""
    mbr = _read(disk, 0, SECTOR)
    if mbr[510:512] != b"\x55\xaa":
        return None
    has_boot_code = any(mbr[:440])
    entries = [mbr[446 + 16 * number :][:16] for number in range(4)]
    is_gpt = any(entry[4] == _PROTECTIVE for entry in entries)
    partitions = _gpt(disk) if is_gpt else _mbr(entries)
    inside = [
        partition
        for partition in partitions
        if partition.size_bytes > 0 and partition.start_bytes + partition.size_bytes <= size_bytes
    ]
    return PartitionTable(is_gpt, has_boot_code, tuple(inside))


def _mbr(entries: list[bytes]) -> list[Partition]:
    partitions = []
    for entry in entries:
        start, count = struct.unpack_from("<II", entry, 8)
        if entry[4] and entry[4] not in _EXTENDED:
            partitions.append(Partition(start * SECTOR, count * SECTOR, f"{entry[4]:02x}"))
    return partitions


def _gpt(disk: BinaryIO) -> list[Partition]:
    header = _read(disk, SECTOR, SECTOR)
    if header[:8] != b"EFI PART":
        return []
    table, count, length = struct.unpack_from("<QII", header, 72)
    if not 128 <= length <= 4096 or table >= 2**40:
        return []
    partitions = []
    for number in range(min(count, MAX_PARTITIONS)):
        entry = _read(disk, table * SECTOR + number * length, 128)
        kind = uuid.UUID(bytes_le=entry[:16])
        first, last = struct.unpack_from("<QQ", entry, 32)
        if kind.int and last >= first:
            partitions.append(Partition(first * SECTOR, (last - first + 1) * SECTOR, str(kind)))
    return partitions


def _read(disk: BinaryIO, offset: int, size: int) -> bytes:
    """Bytes at an offset; zeros beyond the end."""
    disk.seek(offset)
    return disk.read(size).ljust(size, b"\0")
