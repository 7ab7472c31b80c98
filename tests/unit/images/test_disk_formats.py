"""Formats, partition tables, checksums and what is inside: the pure parts, also on garbage."""

import contextlib
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.images.checksums import find_checksum
from hostloom.images.disk_formats import HEAD_BYTES, check_qcow2, find_compression, find_format
from hostloom.images.inside import default_user, parse_os_release
from hostloom.images.partitions import read_partitions
from hostloom.model.disk_import import Compression, DiskFileFormat
from hostloom.model.errors.outside import DiskImageFailed
from support.depth import examples

A, B = "a" * 64, "b" * 64


def qcow2(version: int = 3, **fields: int) -> bytes:
    """A header as QEMU writes it."""
    values = {"backing": 0, "cluster_bits": 16, "size": 2**30, "crypt": 0, "snapshots": 0, "features": 0}
    values |= fields
    head = struct.pack(
        ">4sIQIIQI", b"QFI\xfb", version, values["backing"], 0, 16, values["size"], values["crypt"]
    )
    head = head[:20] + struct.pack(">I", values["cluster_bits"]) + head[24:]
    head = head.ljust(60, b"\0") + struct.pack(">I", values["snapshots"])
    head = head.ljust(72, b"\0") + struct.pack(">Q", values["features"])
    return head.ljust(100, b"\0") + struct.pack(">I", 104) + bytes(400)


def test_the_size_in_a_header_is_the_disks() -> None:
    assert check_qcow2(qcow2(), "it") == 2**30
    assert check_qcow2(qcow2(version=2), "it") == 2**30
    assert find_format(qcow2(), "it") == (DiskFileFormat.QCOW2, 2**30)


def test_an_extension_that_names_a_data_file_is_refused_even_without_its_feature() -> None:
    head = qcow2()[:104] + struct.pack(">II8s", 0x44415441, 8, b"/etc/pas") + bytes(100)
    with pytest.raises(DiskImageFailed, match="its data is in another file"):
        check_qcow2(head, "it")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"version": 1}, "qcow2 version 1"),
        ({"cluster_bits": 4}, "clusters of 2\\^4 bytes"),
        ({"cluster_bits": 40}, "clusters of 2\\^40 bytes"),
        ({"crypt": 2}, "encrypted"),
        ({"features": 4}, "another file"),
        ({"features": 1 << 40}, "features of qcow2 that are not known"),
    ],
)
def test_headers_that_are_refused(fields: dict[str, int], problem: str) -> None:
    with pytest.raises(DiskImageFailed, match=problem):
        check_qcow2(qcow2(**fields), "it")


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=700).map(lambda content: b"QFI\xfb" + content))
def test_any_header_is_read_or_refused(head: bytes) -> None:
    with contextlib.suppress(DiskImageFailed):
        assert check_qcow2(head, "it") >= 0


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=HEAD_BYTES))
def test_any_beginning_is_a_format_or_refused(head: bytes) -> None:
    assert find_compression(head) in Compression
    with contextlib.suppress(DiskImageFailed):
        assert find_format(head, "it")[0] in DiskFileFormat


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=1200), st.booleans())
def test_any_partition_table_is_read(content: bytes, is_gpt: bool) -> None:
    """Whatever it says, no partition lies outside of the disk."""
    disk = bytearray(content.ljust(2048, b"\0"))
    disk[510:512] = b"\x55\xaa"
    if is_gpt:
        disk[450], disk[512:520] = 0xEE, b"EFI PART"
    table = read_partitions(io.BytesIO(bytes(disk)), len(disk))
    assert table is not None
    for partition in table.partitions:
        assert 0 <= partition.start_bytes < partition.start_bytes + partition.size_bytes <= len(disk)


def test_a_table_of_an_mbr() -> None:
    disk = bytearray(2048 * 512)
    disk[0:3], disk[510:512] = b"\xeb\x63\x90", b"\x55\xaa"
    disk[446:462] = struct.pack("<B3xB3xII", 0x80, 0x83, 8, 1000)
    disk[462:478] = struct.pack("<B3xB3xII", 0, 0xEF, 1008, 1000)
    disk[478:494] = struct.pack("<B3xB3xII", 0, 0x83, 2000, 1000)
    table = read_partitions(io.BytesIO(bytes(disk)), len(disk))
    assert table is not None
    assert (table.is_gpt, table.has_boot_code) == (False, True)
    root, esp = table.partitions
    assert (root.start_bytes, root.size_bytes, root.is_efi_system) == (4096, 512_000, False)
    assert esp.is_efi_system


@pytest.mark.parametrize(
    "line",
    [
        f"{A}  disk.img",
        f"{A} *disk.img",
        f"{A} *./disk.img",
        f"{A.upper()}  disk.img",
        f"SHA256 (disk.img) = {A}",
        f"# comment\n{'0' * 128}  disk.img\nMD5 (disk.img) = {'0' * 32}\nSHA256 (disk.img) = {A}\n",
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# disk.img: 1 bytes\nSHA256 (disk.img) = {A}",
        f"{A}  disk.img\n{A}  disk.img\n{B}  other-disk.img\n{B}  disk.img.asc",
    ],
)
def test_checksums_in_both_formats(line: str) -> None:
    assert find_checksum(line, "disk.img", "SHA256SUMS") == A


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "SHA256SUMS has no line with a SHA-256 for this file name"),
        (f"{A}  other.img", "has no line"),
        (f"{A[:40]}  disk.img", "has no line"),
        (f"{A}  disk.img\n{B}  disk.img", "has several different SHA-256 sums for this file name"),
    ],
)
def test_checksums_that_say_nothing(text: str, problem: str) -> None:
    with pytest.raises(DiskImageFailed, match=problem):
        find_checksum(text, "disk.img", "SHA256SUMS")


def test_os_release_is_read_as_a_shell_reads_it() -> None:
    text = '# x\nID=rocky\nVERSION_ID="9.4"\nPRETTY_NAME=\'Rocky "Linux"\'\nlower=1\nBAD="x\nNAME=a\\ b\n'
    assert parse_os_release(text) == {
        "ID": "rocky",
        "VERSION_ID": "9.4",
        "PRETTY_NAME": 'Rocky "Linux"',
        "NAME": "a b",
    }


@pytest.mark.parametrize(
    ("text", "user"),
    [
        (b"system_info:\n  default_user:\n    name: ubuntu\n", "ubuntu"),
        (b"system_info:\n  default_user: {name: 'rm -rf /'}\n", ""),
        (b"system_info: [1, 2]\n", ""),
        (b"users: [default]\n", ""),
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b"[" * 5000, ""),
    ],
)
def test_the_default_user(text: bytes, user: str) -> None:
    assert default_user(text) == user
