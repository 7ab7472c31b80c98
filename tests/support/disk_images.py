"""Disk images for tests."""

import builtins
import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

from hostloom.images.disk_recipes import check_build
from hostloom.model.disk_build import DiskBuild, InstalledSystem
from hostloom.model.disk_image import BootMode, DiskContent, DiskImage
from hostloom.model.disk_import import (
    Compression,
    ConvertedDisk,
    DiskFileFormat,
    FetchedFile,
    ImageSource,
    UnpackedDisk,
    UploadedFile,
)
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import DiskImageId
from hostloom.ports.disk_images import Progress

#: The end of the first sector of a disk with a partition table.
SIGNATURE = b"\x55\xaa"


def a_disk(text: str = "") -> bytes:
    """The content of a raw disk of one sector, which no machine can start."""
    return text.encode().ljust(510, b"\0") + SIGNATURE


def a_disk_image(name: str = "debian-12", **changes: object) -> DiskImage:
    """Debian 12, about which everything is known."""
    image = DiskImage(
        id=DiskImageId(0),
        name=name,
        sha256="a" * 64,
        virtual_size_bytes=2 * 2**30,
        size_bytes=400 * 2**20,
        stream_sha256="b" * 64,
        stream_size_bytes=130 * 2**20,
        imported_at=1_800_000_000.0,
        title="Debian 12 (bookworm)",
        os="debian",
        release="12",
        codename="bookworm",
        architecture="amd64",
        boot_modes=(BootMode.BIOS, BootMode.UEFI),
        has_cloud_init=True,
        has_kvm=False,
        default_user="debian",
        source="https://images.example/debian-12.qcow2",
        source_sha256="c" * 64,
        warnings=("the package list could not be read",),
    )
    return replace(image, **changes)  # type: ignore[arg-type]


class FakeDiskImages:
    """Disks of a few bytes in a folder, and imports that take every file for a raw disk of Debian."""

    def __init__(self, directory: Path) -> None:
        self._disks, self._work, self._sent = directory / "disks", directory / "work", directory / "sent"
        self._expected: set[str] = set()
        #: What builds make.
        self.built = a_disk("built")
        #: What is at URLs.
        self.web: dict[str, bytes] = {}

    def put(self, sha256: str, disk: bytes = b"qcow2", stream: bytes = b"zstd") -> None:
        """Store a disk."""
        _write(self._disks / sha256 / "disk", disk)
        _write(self._disks / sha256 / "stream", stream)

    def begin_work(self, work: str) -> None:
        """Leave a file of an import."""
        _write(self._work / work / "source", b"")

    def state(self) -> list[str]:
        """The paths of all files, for comparison."""
        folders = (self._disks, self._work, self._sent)
        return sorted(str(path) for folder in folders for path in folder.rglob("*"))

    # -- DiskImageFiles ---------------------------------------------------------------------------------

    def list(self) -> list[str]:
        return sorted(path.name for path in self._disks.glob("*"))

    def disk(self, sha256: str) -> Path:
        return self._file(sha256, "disk")

    def stream(self, sha256: str) -> Path:
        return self._file(sha256, "stream")

    def stream_checksum(self, sha256: str) -> str:
        return self.stream(sha256).read_bytes()[-4:][::-1].hex()

    def delete(self, sha256: str) -> None:
        if sha256 in self.list():
            shutil.rmtree(self._disks / sha256)

    def _file(self, sha256: str, name: str) -> Path:
        if sha256 not in self.list():
            raise NotFound("file of disk image", sha256)
        return self._disks / sha256 / name

    # -- DiskImports ------------------------------------------------------------------------------------

    def expect(self, upload: str, size_bytes: int) -> None:
        if size_bytes > 2**40:
            raise DiskImageFailed("the file", "it is larger than allowed")
        self._expected.add(upload)

    def receive(self, upload: str) -> "FakeReceiver":
        if upload not in self._expected:
            raise NotFound("upload", upload)
        return FakeReceiver(self._sent / upload)

    def find_upload(self, upload: str) -> UploadedFile | None:
        path = self._sent / upload
        if not path.is_file():
            return None
        return UploadedFile(upload, path.stat().st_size, _sha256(path.read_bytes()))

    def discard_upload(self, upload: str) -> None:
        self._expected.discard(upload)
        (self._sent / upload).unlink(missing_ok=True)

    def uploads(self) -> dict[str, float]:
        return {path.name: path.stat().st_mtime for path in self._sent.glob("*")}

    def fetch(self, work: str, source: ImageSource, progress: Progress) -> FetchedFile:
        folder = self._work / work
        if not folder.is_dir():
            sent = self._sent / source.upload
            is_here = source.url in self.web if source.url else sent.is_file()
            if not is_here:
                raise DiskImageFailed(source.text, "it is not there")
            _write(folder / "source", self.web[source.url] if source.url else sent.read_bytes())
            if not source.url:
                sent.unlink()
        content = (folder / "source").read_bytes()
        progress(len(content), len(content))
        if source.sha256 and _sha256(content) != source.sha256:
            raise DiskImageFailed(
                source.text, f"its SHA-256 is {_sha256(content)}, and {source.sha256} was expected"
            )
        return FetchedFile(len(content), _sha256(content))

    def unpack(self, work: str, what: str, progress: Progress) -> UnpackedDisk:
        content = (self._work / work / "source").read_bytes()
        progress(len(content), len(content))
        if content[510:512] != SIGNATURE:
            raise DiskImageFailed(what, "it is neither a qcow2 disk nor a raw disk with a partition table")
        return UnpackedDisk(DiskFileFormat.RAW, Compression.NONE, len(content))

    def convert(self, work: str, what: str, disk: UnpackedDisk, progress: Progress) -> ConvertedDisk:
        content = (self._work / work / "source").read_bytes()
        progress(len(content), disk.virtual_size_bytes)
        return ConvertedDisk(_sha256(content), len(content), len(content), _sha256(b"zstd"), 4)

    def inspect(self, work: str) -> DiskContent:
        assert (self._work / work).is_dir()
        modes = (BootMode.BIOS, BootMode.UEFI)
        return DiskContent("debian", "12", "bookworm", "amd64", modes, True, False, "debian")

    def publish(self, work: str, sha256: str) -> None:
        if sha256 not in self.list():
            self.put(sha256, (self._work / work / "source").read_bytes())
            (self._disks / sha256 / "by").write_text(work)

    def withdraw(self, work: str, sha256: str) -> None:
        by = self._disks / sha256 / "by"
        if by.is_file() and by.read_text() == work:
            self.delete(sha256)

    def discard(self, work: str) -> None:
        shutil.rmtree(self._work / work, ignore_errors=True)

    def unfinished(self) -> "builtins.list[str]":
        return sorted(path.name for path in self._work.glob("*"))

    # -- DiskBuilds -------------------------------------------------------------------------------------

    def check(self, build: DiskBuild) -> str:
        return check_build(build).title

    def install(self, work: str, build: DiskBuild, progress: Progress) -> InstalledSystem:
        _write(self._work / work / "system.tar", build.variant.encode())
        progress(0, None)
        return InstalledSystem(len(build.variant), _sha256(build.variant.encode()))

    def assemble(self, work: str, build: DiskBuild, progress: Progress) -> FetchedFile:
        assert (self._work / work / "system.tar").read_text() == build.variant
        _write(self._work / work / "source", self.built)
        progress(0, None)
        return FetchedFile(len(self.built), _sha256(self.built))

    def discard_build(self, work: str) -> None:
        (self._work / work / "system.tar").unlink(missing_ok=True)


class FakeReceiver:
    """A file that is arriving."""

    def __init__(self, path: Path) -> None:
        self._path, self._content = path, b""

    def write(self, chunk: bytes) -> None:
        self._content += chunk

    def finish(self) -> UploadedFile:
        _write(self._path, self._content)
        return UploadedFile(self._path.name, len(self._content), _sha256(self._content))

    def abort(self) -> None:
        self._content = b""


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
