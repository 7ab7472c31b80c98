"""Files that are not usable as disk images are refused with a reason, and nothing of them stays."""

import gzip
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.images.download import Downloader
from hostloom.images.import_files import ImportFiles
from hostloom.images.limits import MIB, ImportLimits
from hostloom.model.disk_import import ConvertedDisk, ImageSource
from hostloom.model.errors.outside import DiskImageFailed
from support.image_server import serving_images
from support.made_disks import as_qcow2, compressed, make_disk

LIMITS = ImportLimits(disk_bytes=64 * MIB)
#: More than any test needs.
ROOM = 2**40


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_disk(tmp_path_factory.mktemp("made") / "good.raw")


def importer(directory: Path, limits: ImportLimits = LIMITS, free_bytes: int = ROOM) -> ImportFiles:
    return ImportFiles(directory, limits, Downloader(limits), lambda _: free_bytes)


def import_file(files: ImportFiles, path: Path, *, upload: str = "upload") -> ConvertedDisk:
    files.expect(upload, path.stat().st_size)
    receiver = files.receive(upload)
    receiver.write(path.read_bytes())
    receiver.finish()
    files.fetch("work", ImageSource(upload=upload, file_name=path.name), ignore)
    unpacked = files.unpack("work", path.name, ignore)
    return files.convert("work", path.name, unpacked, ignore)


def ignore(_done: int, _total: int | None) -> None:
    """Ignore the progress."""


def refuse(directory: Path, path: Path, reason: str, limits: ImportLimits = LIMITS) -> None:
    """Import, expect the reason, and see that undoing leaves nothing."""
    files = importer(directory, limits)
    with pytest.raises(DiskImageFailed, match=reason) as refused:
        import_file(files, path)
    assert path.name in str(refused.value)
    files.discard("work")
    files.discard_upload("upload")
    assert [path for path in (directory / "disks").rglob("*") if path.is_file()] == []


def qemu_img(*argv: str) -> None:
    subprocess.run(["qemu-img", *argv], check=True, capture_output=True)


def with_backing_file(raw: Path, path: Path) -> None:
    qemu_img("create", "-f", "qcow2", "-b", str(raw), "-F", "raw", str(path))


def with_data_file(_raw: Path, path: Path) -> None:
    qemu_img("create", "-f", "qcow2", "-o", f"data_file={path}.data,data_file_raw=on", str(path), "24M")


def encrypted(raw: Path, path: Path) -> None:
    """As LUKS in qcow2: the method of encryption in the header is 2."""
    as_qcow2(raw, path)
    content = bytearray(path.read_bytes())
    content[35] = 2
    path.write_bytes(content)


def with_snapshot(raw: Path, path: Path) -> None:
    as_qcow2(raw, path)
    qemu_img("snapshot", "-c", "before", str(path))


def vmdk(raw: Path, path: Path) -> None:
    qemu_img("convert", "-O", "vmdk", str(raw), str(path))


def vdi(raw: Path, path: Path) -> None:
    qemu_img("convert", "-O", "vdi", str(raw), str(path))


def vhdx(raw: Path, path: Path) -> None:
    qemu_img("convert", "-O", "vhdx", str(raw), str(path))


def luks(_raw: Path, path: Path) -> None:
    path.write_bytes(b"LUKS\xba\xbe\x00\x02".ljust(MIB, b"\0"))


def iso(_raw: Path, path: Path) -> None:
    content = bytearray(64 * 1024)
    content[510:512] = b"\x55\xaa"
    content[0x8001:0x8006] = b"CD001"
    path.write_bytes(content)


def tar(raw: Path, path: Path) -> None:
    subprocess.run(["tar", "-cf", str(path), "-C", str(raw.parent), raw.name], check=True)


def web_page(_raw: Path, path: Path) -> None:
    path.write_text("<!DOCTYPE html><title>Log in</title>")


def truncated_qcow2(raw: Path, path: Path) -> None:
    as_qcow2(raw, path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 70_000])


def truncated_xz(raw: Path, path: Path) -> None:
    path.write_bytes(compressed(as_qcow2(raw, path), "xz").read_bytes()[:-40])


def damaged_zstd(raw: Path, path: Path) -> None:
    content = bytearray(compressed(raw, "zstd").read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def twice_compressed(raw: Path, path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.compress(raw.read_bytes()[: 4 * MIB])))


def odd_size(raw: Path, path: Path) -> None:
    path.write_bytes(raw.read_bytes()[:1000_001])


def huge_qcow2(_raw: Path, path: Path) -> None:
    qemu_img("create", "-f", "qcow2", str(path), "4T")


def empty(_raw: Path, path: Path) -> None:
    path.touch()


def corrupt_tables(raw: Path, path: Path) -> None:
    """The first table of clusters points beyond the file."""
    as_qcow2(raw, path)
    content = bytearray(path.read_bytes())
    (table,) = struct.unpack_from(">Q", content, 40)
    struct.pack_into(">Q", content, table, (1 << 63) | 0x7FFF_0000_0000)
    path.write_bytes(content)


def thousands_of_errors(_raw: Path, path: Path) -> None:
    """Most clusters count as free: qemu-img prints a line for each, several times what a pipe takes."""
    qemu_img("create", "-f", "qcow2", "-o", "cluster_size=4096,preallocation=falloc", str(path), "24M")
    content = bytearray(path.read_bytes())
    (table,) = struct.unpack_from(">Q", content, 48)
    for (block,) in struct.iter_unpack(">Q", content[table + 8 : table + 32]):
        content[block : block + 4096] = bytes(4096)
    path.write_bytes(content)


def marked_corrupt(raw: Path, path: Path) -> None:
    as_qcow2(raw, path)
    content = bytearray(path.read_bytes())
    content[79] |= 2
    path.write_bytes(content)


def unknown_feature(raw: Path, path: Path) -> None:
    as_qcow2(raw, path)
    content = bytearray(path.read_bytes())
    content[72] |= 0x40
    path.write_bytes(content)


BAD: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "backing file": (with_backing_file, "it has a backing file, so it is incomplete"),
    "external data file": (with_data_file, "its data is in another file"),
    "encrypted": (encrypted, "it is encrypted"),
    "snapshot": (with_snapshot, "it contains 1 snapshots"),
    "vmdk": (vmdk, "it is a VMDK disk"),
    "vdi": (vdi, "it is a VDI disk"),
    "vhdx": (vhdx, "it is a VHDX disk"),
    "luks": (luks, r"it is an encrypted disk \(LUKS\)"),
    "iso": (iso, "it is a CD image"),
    "tar": (tar, "it is a tar archive"),
    "web page": (web_page, "it is a web page"),
    "truncated qcow2": (truncated_qcow2, "qemu-img: "),
    "truncated xz": (truncated_xz, "is damaged or cut off.*xz: .*end of input"),
    "damaged zstd": (damaged_zstd, "is damaged or cut off.*zstd: "),
    "compressed twice": (twice_compressed, "it is compressed more than once"),
    "no sectors": (odd_size, "1000001 bytes, which is no whole number of 512-byte sectors"),
    "virtual size": (huge_qcow2, "the disk has 4096.0 GiB, and 0.0625 GiB are allowed"),
    "empty": (empty, "neither a qcow2 disk nor a raw disk"),
    "corrupt tables": (corrupt_tables, "qemu-img: "),
    "thousands of errors": (thousands_of_errors, "qemu-img: "),
    "marked as corrupt": (marked_corrupt, "it is marked as corrupt"),
    "unknown feature": (unknown_feature, "it uses features of qcow2 that are not known"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_image_is_refused_with_its_reason(name: str, raw: Path, tmp_path: Path) -> None:
    make, reason = BAD[name]
    path = tmp_path / "image.file"
    make(raw, path)
    refuse(tmp_path / "images", path, reason)


@pytest.mark.parametrize("program", ["xz", "gzip", "zstd", "bzip2"])
def test_a_bomb_is_stopped_while_it_expands(program: str, tmp_path: Path) -> None:
    """A file of some KiB that would expand to a huge disk."""
    zeros = tmp_path / "zeros"
    with zeros.open("wb") as file:
        file.truncate(63 * MIB)
    with zeros.open("r+b") as file:
        file.seek(510)
        file.write(b"\x55\xaa")
    bomb = compressed(zeros, program)
    assert bomb.stat().st_size < 100_000
    limits = replace(LIMITS, expansion=10, expansion_floor_bytes=4 * MIB)
    refuse(tmp_path / "images", bomb, "expand to more than 4 MiB, which no disk image does", limits)
    refuse(tmp_path / "images", bomb, "it expands to more than", replace(LIMITS, disk_bytes=2 * MIB))


def test_what_a_bomb_has_written_is_not_on_the_disk(tmp_path: Path) -> None:
    zeros = tmp_path / "zeros"
    with zeros.open("wb") as file:
        file.truncate(63 * MIB)
    files = importer(tmp_path / "images")
    with pytest.raises(DiskImageFailed):
        import_file(files, compressed(zeros, "zstd"))
    disk = tmp_path / "images/disks/.work/work/disk"
    assert disk.stat().st_blocks * 512 < MIB


def test_a_file_that_is_larger_than_allowed_is_refused_while_it_arrives(tmp_path: Path) -> None:
    files = importer(tmp_path, replace(LIMITS, disk_bytes=MIB))
    files.expect("upload", 512)
    receiver = files.receive("upload")
    receiver.write(bytes(MIB))
    with pytest.raises(DiskImageFailed, match="it has more than the 1048576 bytes that are allowed"):
        receiver.write(b"x")
    receiver.abort()
    assert files.uploads() == {}


@pytest.mark.parametrize("step", ["expect", "unpack"])
def test_too_little_room_is_said_before_anything_is_written(step: str, raw: Path, tmp_path: Path) -> None:
    files = importer(tmp_path)
    files.expect("upload", 512)
    receiver = files.receive("upload")
    receiver.write(raw.read_bytes())
    receiver.finish()
    full = importer(tmp_path, free_bytes=100 * MIB)
    with pytest.raises(DiskImageFailed, match=r"100 MiB are free in .*disks, and 512 MiB are needed"):
        if step == "expect":
            full.expect("other", 0)
        else:
            files.fetch("work", ImageSource(upload="upload", file_name="x"), ignore)
            full.unpack("work", "x", ignore)
    assert sorted(files.uploads()) == ([] if step == "unpack" else ["upload"])


def test_a_disk_that_is_full_while_a_file_expands_is_named(raw: Path, tmp_path: Path) -> None:
    """/dev/full stands for a file on a full disk."""
    files = importer(tmp_path)
    full = tmp_path / "disks/.work/work/disk"
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    with pytest.raises(DiskImageFailed, match="No space left on device"):
        import_file(files, compressed(raw, "gzip"))
    files.discard("work")
    assert files.unfinished() == []


def test_a_disk_that_is_full_in_the_middle_of_a_download_is_named(raw: Path, tmp_path: Path) -> None:
    full = tmp_path / "disks/.work/work/source.part"
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    files = ImportFiles(tmp_path, LIMITS, Downloader(LIMITS, allow_local=True), lambda _: ROOM)
    with serving_images() as web, pytest.raises(DiskImageFailed, match="No space left on device"):
        files.fetch("work", ImageSource(url=web.add("/disk", raw.read_bytes())), ignore)
