"""Copies of disk images on hosts, and disks that are made from them: what every hypervisor does."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import libvirt
import pytest

from contract.hypervisor.conftest import IMPLEMENTATIONS, Subject
from hostloom.model.deployment import ImageCopy
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.errors.server import Cancelled
from hostloom.model.ids import HostId
from hostloom.model.machine import Disk, DiskFormat
from hostloom.ports.hypervisor import ImageFile
from support.fake_hypervisor import FakeHypervisor
from support.libvirtd import Libvirtd

MIB = 2**20
COPY = ImageCopy(HostId(1), "default", "a" * 64, "hostloom-image-aaaa.qcow2")
ROOT = Disk("root", "default", "web.0000.root.raw", 24 * MIB)
PATTERN = bytes(range(256)) * 4096


@dataclass(frozen=True)
class Images:
    """An implementation with which images can be uploaded."""

    subject: Subject
    libvirtd: Libvirtd | None

    def content(self, disk: Disk) -> bytes:
        """The first MiB of a volume's guest-visible content."""
        hypervisor = self.subject.hypervisor
        if isinstance(hypervisor, FakeHypervisor):
            return hypervisor.volumes.contents.get((disk.pool, disk.volume), b"")
        connection = libvirt.open(self.subject.uri)
        volume = connection.storagePoolLookupByName(disk.pool).storageVolLookupByName(disk.volume)
        path = self._outside(volume.path())
        connection.close()
        argv = ["qemu-img", "dd", "-f", disk.format, "-O", "raw", "bs=1M", "count=1"]
        out = path.with_name("content.raw")
        subprocess.run([*argv, f"if={path}", f"of={out}"], check=True)
        try:
            return out.read_bytes()
        finally:
            out.unlink()

    def size(self, disk: Disk) -> int:
        """The volume's size for a guest."""
        if isinstance(self.subject.hypervisor, FakeHypervisor):
            return self.subject.hypervisor.volumes.there[disk.pool, disk.volume].size_bytes
        connection = libvirt.open(self.subject.uri)
        pool = connection.storagePoolLookupByName(disk.pool)
        pool.refresh()
        size = pool.storageVolLookupByName(disk.volume).info()[1]
        connection.close()
        return int(size)

    def _outside(self, path: str) -> Path:
        assert self.libvirtd is not None
        return self.libvirtd.directory / "lib" / Path(path).relative_to("/var/lib/libvirt")


@pytest.fixture(params=["fake", pytest.param("qemu", marks=pytest.mark.lab)])
def images(request: pytest.FixtureRequest) -> Iterator[Images]:
    libvirtd = request.getfixturevalue("libvirtd") if request.param == "qemu" else None
    for subject in IMPLEMENTATIONS[request.param](request):
        yield Images(subject, libvirtd)


@pytest.fixture
def image(tmp_path: Path, images: Images) -> ImageFile:
    """A disk of 16 MiB that begins with a pattern; a fake's image is the pattern itself."""
    raw, path = tmp_path / "disk.raw", tmp_path / "disk.qcow2"
    raw.write_bytes(PATTERN)
    if images.libvirtd is None:
        shutil.copy(raw, path)
    else:
        with raw.open("r+b") as file:
            file.truncate(16 * MIB)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path], check=True)
    return ImageFile(path, 16 * MIB)


def _ignore(_done: int, _total: int | None) -> None:
    pass


@pytest.mark.parametrize("kind", DiskFormat)
def test_a_disk_has_the_image_and_the_size_that_was_asked_for(
    images: Images, image: ImageFile, kind: DiskFormat
) -> None:
    volumes, disk = images.subject.hypervisor.volumes, replace(ROOT, format=kind)
    steps: list[tuple[int, int | None]] = []
    assert not volumes.has_image(COPY)
    volumes.upload_image(COPY, image, lambda done, total: steps.append((done, total)))
    assert volumes.has_image(COPY)
    size_bytes = image.path.stat().st_size
    assert steps[-1] == (size_bytes, size_bytes)
    assert steps == sorted(steps)
    for _ in range(2):  # after a crash the step is repeated
        volumes.clone(disk, COPY)
        assert images.content(disk) == PATTERN
        assert images.size(disk) == disk.size_bytes
    volumes.delete(disk)
    assert volumes.has_image(COPY)


def test_an_upload_takes_the_place_of_one_that_broke_off(images: Images, image: ImageFile) -> None:
    volumes = images.subject.hypervisor.volumes

    def cancel(_done: int, _total: int | None) -> None:
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        volumes.upload_image(COPY, image, cancel)
    assert not volumes.has_image(COPY)
    for _ in range(2):
        volumes.upload_image(COPY, image, _ignore)
    volumes.clone(ROOT, COPY)
    assert images.content(ROOT) == PATTERN


def test_a_copy_can_be_deleted_twice(images: Images, image: ImageFile) -> None:
    volumes = images.subject.hypervisor.volumes
    volumes.upload_image(COPY, image, _ignore)
    for _ in range(2):
        volumes.delete_image(COPY)
        assert not volumes.has_image(COPY)


def test_without_a_copy_or_a_pool_nothing_is_made(images: Images, image: ImageFile) -> None:
    volumes = images.subject.hypervisor.volumes
    with pytest.raises(HypervisorRejected, match=COPY.volume):
        volumes.clone(ROOT, COPY)
    with pytest.raises(HypervisorRejected, match="nowhere"):
        volumes.upload_image(replace(COPY, pool="nowhere"), image, _ignore)
    volumes.ensure(replace(ROOT, size_bytes=MIB))  # nothing of another size is there


def test_an_erased_volume_is_empty_and_as_large_as_before(images: Images) -> None:
    volumes, disk = images.subject.hypervisor.volumes, replace(ROOT, size_bytes=MIB)
    volumes.write(disk, PATTERN)
    for _ in range(2):
        volumes.erase(disk)
        assert images.content(disk).strip(b"\0") == b""
        assert images.size(disk) == disk.size_bytes


def test_a_volume_is_written_and_written_again(images: Images) -> None:
    volumes, disk = images.subject.hypervisor.volumes, replace(ROOT, size_bytes=MIB)
    for content in (PATTERN, PATTERN[::-1]):
        volumes.write(disk, content)
        assert images.content(disk) == content
    assert images.size(disk) == disk.size_bytes
