"""Recognises compressed files, qcow2 disks, raw disks and other formats by their first bytes; pure.

The header of qcow2 is described in QEMU's docs/interop/qcow2.txt.
"""

import struct

from hostloom.model.disk_import import Compression, DiskFileFormat
from hostloom.model.errors.outside import DiskImageFailed

#: Number of first bytes that are needed to recognise a file.
HEAD_BYTES = 40 * 1024
SECTOR = 512
_COMPRESSIONS = {
    b"\xfd7zXZ\x00": Compression.XZ,
    b"\x1f\x8b": Compression.GZIP,
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,
    b"BZh": Compression.BZIP2,
}
_QCOW2 = b"QFI\xfb"
#: Other formats by their first bytes.
_REFUSED = {
    b"KDMV": "a VMDK disk",
    b"COWD": "a VMDK disk",
    b"# Disk DescriptorFile": "the description of a VMDK disk",
    b"<<< ": "a VDI disk",
    b"conectix": "a VHD disk",
    b"vhdxfile": "a VHDX disk",
    b"QED\x00": "a QED disk",
    b"OOOM": "a cow disk",
    b"WithoutFreeSpace": "a Parallels disk",
    b"WithouFreSpacExt": "a Parallels disk",
    b"PK\x03\x04": "a ZIP archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x7fELF": "a program",
    b"LUKS\xba\xbe": "an encrypted disk (LUKS)",
    b"#!": "a script",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}
_CONVERT = "convert it with `qemu-img convert -O qcow2` and import the result"
#: Incompatible features of qcow2 that change how data is kept, and not where.
_DIRTY, _CORRUPT, _DATA_FILE, _COMPRESSION_TYPE, _EXTENDED_L2 = 1, 2, 4, 8, 16
_DATA_FILE_NAME = 0x44415441
_MAX_EXTENSIONS = 64


def find_compression(head: bytes) -> Compression:
    """The compression of a file by its first bytes."""
    for magic, compression in _COMPRESSIONS.items():
        if head.startswith(magic):
            return compression
    return Compression.NONE


def find_format(head: bytes, what: str) -> tuple[DiskFileFormat, int | None]:
    """The format of an uncompressed disk, and its virtual size if the head says it.

    DiskImageFailed for everything that is not a plain qcow2 or raw disk.
    """
    if head.startswith(_QCOW2):
        return DiskFileFormat.QCOW2, check_qcow2(head, what)
    for magic, name in _REFUSED.items():
        if head.startswith(magic):
            raise DiskImageFailed(what, f"it is {name}; disks are qcow2 or raw: {_CONVERT}")
    if head[0x8001:0x8006] == b"CD001":
        raise DiskImageFailed(
            what, "it is a CD image (ISO 9660), from which an installer starts, and not a disk"
        )
    if head[257:262] == b"ustar":
        raise DiskImageFailed(what, "it is a tar archive; unpack it and import the disk in it")
    if head[510:512] != b"\x55\xaa":
        raise DiskImageFailed(
            what, "it is neither a qcow2 disk nor a raw disk with a partition table (MBR or GPT)"
        )
    return DiskFileFormat.RAW, None


def check_qcow2(head: bytes, what: str) -> int:
    """The virtual size of a qcow2 disk; DiskImageFailed if it depends on anything else."""
    if len(head) < 104:
        raise DiskImageFailed(what, "its qcow2 header is cut off")
    version, backing_offset = struct.unpack_from(">IQ", head, 4)
    cluster_bits, size, encryption = struct.unpack_from(">IQI", head, 20)
    snapshots = struct.unpack_from(">I", head, 60)[0]
    incompatible, header_length = 0, 72
    if version == 3:
        incompatible = struct.unpack_from(">Q", head, 72)[0]
        header_length = struct.unpack_from(">I", head, 100)[0]
    unknown = incompatible & ~(_DIRTY | _CORRUPT | _DATA_FILE | _COMPRESSION_TYPE | _EXTENDED_L2)
    has_data_file = bool(incompatible & _DATA_FILE) or _names_data_file(head, header_length)
    problems = (
        (version not in (2, 3), f"it is qcow2 version {version}, and 2 and 3 are known"),
        (not 9 <= cluster_bits <= 21, f"its clusters of 2^{cluster_bits} bytes are not allowed"),
        (encryption != 0, "it is encrypted"),
        (
            backing_offset != 0,
            "it has a backing file, so it is incomplete; flatten it with `qemu-img convert`",
        ),
        (has_data_file, "its data is in another file (external data file)"),
        (bool(incompatible & _CORRUPT), "it is marked as corrupt"),
        (unknown != 0, f"it uses features of qcow2 that are not known ({unknown:#x})"),
        (snapshots != 0, f"it contains {snapshots} snapshots; remove them with `qemu-img snapshot -d`"),
    )
    for applies, problem in problems:
        if applies:
            raise DiskImageFailed(what, problem)
    return int(size)


def _names_data_file(head: bytes, offset: int) -> bool:
    """Whether one of the header's extensions names an external data file."""
    for _ in range(_MAX_EXTENSIONS):
        if offset + 8 > len(head):
            break
        kind, length = struct.unpack_from(">II", head, offset)
        if kind == _DATA_FILE_NAME:
            return True
        if kind == 0:
            break
        offset += 8 + (length + 7) // 8 * 8
    return False


def check_size(size_bytes: int, limit_bytes: int, what: str) -> None:
    """DiskImageFailed for a disk that is empty, larger than allowed or no whole number of sectors."""
    if size_bytes > limit_bytes:
        raise DiskImageFailed(
            what,
            f"the disk has {size_bytes / 2**30:.1f} GiB, and {limit_bytes / 2**30:g} GiB are allowed "
            "(`max_image_gib` in the server's configuration)",
        )
    if size_bytes == 0 or size_bytes % SECTOR:
        raise DiskImageFailed(
            what, f"the disk has {size_bytes} bytes, which is no whole number of {SECTOR}-byte sectors"
        )
