"""What the folder of disk images and its fake have in common."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hostloom.images.directory import ImageDirectory
from hostloom.images.disk_directory import DISK, STREAM, DiskDirectory
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.resources import NotFound
from hostloom.ports.disk_images import DiskImageFiles
from support.disk_images import FakeDiskImages

A, B = "a" * 64, "b" * 64
Put = Callable[[str], None]


@pytest.fixture(params=["folder", "fake"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[DiskImageFiles, Put]:
    """The files, and how a disk gets there."""
    if request.param == "fake":
        fake = FakeDiskImages(tmp_path)
        return fake, fake.put

    def put(sha256: str) -> None:
        folder = tmp_path / "disks" / sha256
        folder.mkdir(parents=True)
        (folder / DISK).write_bytes(b"qcow2")
        (folder / STREAM).write_bytes(b"zstd")

    return DiskDirectory(tmp_path), put


def test_stored_disks_are_listed_and_read(both: tuple[DiskImageFiles, Put]) -> None:
    files, put = both
    assert files.list() == []
    put(B)
    put(A)
    assert files.list() == [A, B]
    assert files.disk(A).read_bytes() == b"qcow2"
    assert files.stream(A).read_bytes() == b"zstd"


@pytest.mark.parametrize("sha256", [B, "", ".", "..", "a" * 63, f"../{A}"])
def test_a_disk_that_is_not_there_is_not_found(both: tuple[DiskImageFiles, Put], sha256: str) -> None:
    files, put = both
    put(A)
    for read in (files.disk, files.stream):
        with pytest.raises(NotFound, match="there is no file of disk image"):
            read(sha256)


def test_deleting_twice_deletes_one_disk_and_leaves_the_others(both: tuple[DiskImageFiles, Put]) -> None:
    files, put = both
    put(A)
    put(B)
    for _ in range(2):
        files.delete(A)
        assert files.list() == [B]
    files.delete("..")
    assert files.disk(B).is_file()


def test_files_of_an_interrupted_deletion_go_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when the folder is invisible and its files are still there."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in (A, B):
        (tmp_path / "disks" / name).mkdir(parents=True)
        (tmp_path / "disks" / name / DISK).touch()
    files = DiskDirectory(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", die)
        files.delete(A)
    assert files.list() == [B]
    files.delete(B)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_folder_of_disks_is_no_boot_image(tmp_path: Path) -> None:
    """Boot images are folders beside it, and are deleted by their names."""
    (tmp_path / "disks" / A).mkdir(parents=True)
    boot_images = ImageDirectory(tmp_path, lambda: 0.0)
    assert boot_images.list() == []
    for name in ("disks", f"disks/{A}"):
        with pytest.raises(NotFound):
            boot_images.delete(name)
    assert DiskDirectory(tmp_path).list() == [A]


def test_the_checksum_of_a_stream_is_the_last_word_of_its_frame(tmp_path: Path) -> None:
    folder, disk = tmp_path / "disks" / A, b"a disk" * 1000
    folder.mkdir(parents=True)
    for options in ([], ["--no-check"]):
        argv = ["zstd", "-q", "-c", *options]
        stream = subprocess.run(argv, input=disk, capture_output=True, check=True).stdout
        (folder / STREAM).write_bytes(stream)
        if options:
            with pytest.raises(DiskImageFailed, match="has no checksum"):
                DiskDirectory(tmp_path).stream_checksum(A)
        else:
            argv = ["xxhsum", "-H64", "-"]
            xxh64 = subprocess.run(argv, input=disk, capture_output=True, check=True).stdout[:16].decode()
            assert DiskDirectory(tmp_path).stream_checksum(A) == xxh64[8:]
