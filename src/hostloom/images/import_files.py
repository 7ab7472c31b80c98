"""The files of imports: a folder for each import, and one for files that clients send."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hostloom.images.checksums import find_checksum
from hostloom.images.convert import check_disk, hash_file, to_qcow2, to_raw, to_stream
from hostloom.images.disk_directory import DISK, STREAM, DiskDirectory
from hostloom.images.download import Downloader
from hostloom.images.inside import inspect_disk
from hostloom.images.limits import MIB, ImportLimits
from hostloom.images.unpack import unpack
from hostloom.model.disk_image import DiskContent
from hostloom.model.disk_import import (
    ConvertedDisk,
    FetchedFile,
    ImageSource,
    UnpackedDisk,
    UploadedFile,
)
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.resources import NotFound
from hostloom.ports.disk_images import Progress

#: Maximum size of a list of checksums, in bytes.
_MAX_CHECKSUMS = 4 * MIB
#: Space that must stay free on the disk of the image folder.
RESERVE_BYTES = 512 * MIB
#: A file that names the import which stored a disk.
_PUBLISHED_BY = "published-by"
_WORK = ".work"
_NAME = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z-]{0,63}")


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class ImportFiles:
    """Imports in the folder `disks` in the folder `image_dir` of the settings."""

    def __init__(
        self,
        directory: Path,
        limits: ImportLimits,
        downloader: Downloader,
        free_bytes: Callable[[Path], int] = _free_bytes,
    ) -> None:
        self._disks, self._limits, self._downloader = directory / "disks", limits, downloader
        self._work, self._uploads = self._disks / _WORK, self._disks / ".uploads"
        self._free_bytes = free_bytes

    # -- files that clients send --------------------------------------------------------------------------

    def expect(self, upload: str, size_bytes: int) -> None:
        """Make an empty file; DiskImageFailed if the file is too large or there is too little room."""
        check_file_size(size_bytes, self._limits.disk_bytes)
        with writing("the file"):
            self._uploads.mkdir(parents=True, exist_ok=True)
            self._check_room(size_bytes, "the file")
            self._upload(upload).touch()

    def receive(self, upload: str) -> "FileReceiver":
        """Write an expected file; NotFound."""
        if not self._upload(upload).is_file():
            raise NotFound("upload", upload)
        with writing("the file"):
            return FileReceiver(self._upload(upload), self._limits.disk_bytes, self._check_room)

    def find_upload(self, upload: str) -> UploadedFile | None:
        """A file that was received completely."""
        try:
            return UploadedFile(**json.loads(self._upload(upload).with_suffix(".json").read_bytes()))
        except (OSError, ValueError):
            return None

    def discard_upload(self, upload: str) -> None:
        """Delete a file that a client sent."""
        for suffix in ("", ".json"):
            self._upload(upload).with_suffix(suffix).unlink(missing_ok=True)

    def uploads(self) -> dict[str, float]:
        """The files that clients sent, and when the last part arrived."""
        if not self._uploads.is_dir():
            return {}
        return {path.name: path.stat().st_mtime for path in self._uploads.iterdir() if not path.suffix}

    # -- steps of an import ---------------------------------------------------------------------------------

    def fetch(self, work: str, source: ImageSource, progress: Progress) -> FetchedFile:
        """Download the file or take the upload, and check its hash."""
        folder = self._folder(work)
        with writing(source.text):
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / "source"
            expected = self._expected_digest(source)
            if not target.exists():
                self._bring(source, target, progress)
            with target.open("rb") as opened:
                digest = hash_file(opened)
            if expected and digest != expected:
                target.unlink()
                raise DiskImageFailed(source.text, f"its SHA-256 is {digest}, and {expected} was expected")
            return FetchedFile(target.stat().st_size, digest)

    def unpack(self, work: str, what: str, progress: Progress) -> UnpackedDisk:
        """Decompress the file."""
        folder = self._folder(work)
        with writing(what):
            self._check_room(0, what)
            return unpack(folder / "source", folder / "disk", self._limits, what, progress)

    def convert(self, work: str, what: str, disk: UnpackedDisk, progress: Progress) -> ConvertedDisk:
        """Check the disk and write its two forms into a folder that `publish` renames."""
        folder = self._folder(work)
        result = folder / "result"
        with writing(what):
            result.mkdir(exist_ok=True)
            check_disk(folder / "disk", disk, self._limits, what)
            self._check_room((folder / "disk").stat().st_blocks * 512, what)
            to_raw(folder / "disk", folder / "raw", disk, self._limits, what)
            converted = to_stream(folder / "raw", result / STREAM, self._limits, what, progress)
            size_bytes = to_qcow2(folder / "raw", result / DISK, self._limits, what)
        return replace(converted, size_bytes=size_bytes)

    def inspect(self, work: str) -> DiskContent:
        """Read the content of the raw disk."""
        return inspect_disk(self._folder(work) / "raw")

    def publish(self, work: str, sha256: str) -> None:
        """Rename the result's folder to its hash; a file in it names the import."""
        result, target = self._folder(work) / "result", self._disks / sha256
        if target.is_dir():
            return
        with writing("the disk image"):
            (result / _PUBLISHED_BY).write_text(work)
            result.chmod(0o755)
            result.rename(target)

    def withdraw(self, work: str, sha256: str) -> None:
        """Delete the disk if this import published it."""
        marker = self._disks / sha256 / _PUBLISHED_BY
        if marker.is_file() and marker.read_text() == work:
            DiskDirectory(self._disks.parent).delete(sha256)

    def discard(self, work: str) -> None:
        """Delete everything of an import that is not published."""
        shutil.rmtree(self._folder(work), ignore_errors=True)

    def unfinished(self) -> list[str]:
        """The imports that have files here."""
        return sorted(path.name for path in self._work.iterdir()) if self._work.is_dir() else []

    # -- parts ----------------------------------------------------------------------------------------------

    def _bring(self, source: ImageSource, target: Path, progress: Progress) -> None:
        if source.url:
            self._check_room(0, source.text)
            self._downloader.fetch(source.url, target, progress)
            return
        if self.find_upload(source.upload) is None:
            raise DiskImageFailed(source.text, "the file that was sent is no longer here; send it again")
        self._upload(source.upload).rename(target)
        self.discard_upload(source.upload)

    def _expected_digest(self, source: ImageSource) -> str:
        if not source.sha256sums_url:
            return source.sha256
        text = self._downloader.read(source.sha256sums_url, _MAX_CHECKSUMS).decode(errors="replace")
        name = unquote(urlsplit(source.url).path.rpartition("/")[2]) if source.url else source.file_name
        listed = find_checksum(text, name, source.sha256sums_url)
        if source.sha256 and source.sha256 != listed:
            raise DiskImageFailed(
                source.text, f"{source.sha256sums_url} says {listed}, and the request says {source.sha256}"
            )
        return listed

    def _check_room(self, needed_bytes: int, what: str) -> None:
        """DiskImageFailed if too little room would be left on the disk of the image folder."""
        check_room(self._disks, needed_bytes, what, self._free_bytes(self._disks))

    def _folder(self, work: str) -> Path:
        return import_folder(self._disks.parent, work)

    def _upload(self, upload: str) -> Path:
        return self._uploads / checked_name(upload)


def check_file_size(size_bytes: int, limit_bytes: int) -> None:
    """DiskImageFailed for a file that is larger than allowed."""
    if size_bytes > limit_bytes:
        raise DiskImageFailed("the file", f"it has more than the {limit_bytes} bytes that are allowed")


def import_folder(directory: Path, work: str) -> Path:
    """The folder of an import (or build) in the image folder; NotFound for an invalid name."""
    return directory / "disks" / _WORK / checked_name(work)


def check_room(folder: Path, needed_bytes: int, what: str, free: int) -> None:
    """DiskImageFailed if less than RESERVE_BYTES would be left of the free bytes of a folder's disk."""
    if free < needed_bytes + RESERVE_BYTES:
        raise DiskImageFailed(
            what,
            f"{free // MIB} MiB are free in {folder}, "
            f"and {(needed_bytes + RESERVE_BYTES) // MIB} MiB are needed",
        )


class FileReceiver:
    """A file that a client sends; it is complete once its description exists beside it."""

    def __init__(self, path: Path, limit_bytes: int, check_room: Callable[[int, str], None]) -> None:
        self._path, self._limit = path, limit_bytes
        self._digest, self._size, self._checked_at = hashlib.sha256(), 0, 0
        self._check_room = check_room
        self._file = path.open("wb")

    def write(self, chunk: bytes) -> None:
        """Append; DiskImageFailed beyond the size limit or on a full disk."""
        self._size += len(chunk)
        check_file_size(self._size, self._limit)
        if self._size - self._checked_at > 64 * MIB:
            self._check_room(0, "the file")
            self._checked_at = self._size
        self._digest.update(chunk)
        with writing("the file"):
            self._file.write(chunk)

    def finish(self) -> UploadedFile:
        """Write the description."""
        with writing("the file"):
            self._file.close()
            upload = UploadedFile(self._path.name, self._size, self._digest.hexdigest())
            self._path.with_suffix(".json").write_text(json.dumps(asdict(upload)))
        return upload

    def abort(self) -> None:
        """Delete the part that has arrived."""
        with suppress(OSError):  # the rest of the buffer is not needed
            self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turn an error of a write into DiskImageFailed about `what`."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise DiskImageFailed(what, f"{error.strerror or error}{where}") from error


def checked_name(name: str) -> str:
    """The name of a file or folder here; NotFound if it is invalid."""
    if not _NAME.fullmatch(name):
        raise NotFound("upload", name)
    return name
