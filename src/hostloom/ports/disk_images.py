"""The files of disk images, and the work on files that become disk images."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hostloom.model.disk_build import DiskBuild, InstalledSystem
from hostloom.model.disk_image import DiskContent
from hostloom.model.disk_import import (
    ConvertedDisk,
    FetchedFile,
    ImageSource,
    UnpackedDisk,
    UploadedFile,
)

#: Called repeatedly with the number of processed bytes and the total if it is known; may raise to stop.
Progress = Callable[[int, int | None], None]


class DiskImageFiles(Protocol):
    """Files by the SHA-256 of the raw disk; a stored disk is always complete."""

    def list(self) -> list[str]:
        """The SHA-256 of every stored disk, sorted."""
        ...

    def disk(self, sha256: str) -> Path:
        """The qcow2 file, without backing file, on this server; NotFound."""
        ...

    def stream(self, sha256: str) -> Path:
        """The raw disk, compressed by zstd, on this server; NotFound."""
        ...

    def stream_checksum(self, sha256: str) -> str:
        """The low half of the XXH64 of the raw disk in hexadecimal, as zstd stores it in the stream."""
        ...

    def delete(self, sha256: str) -> None:
        """Delete both files; does nothing if they do not exist."""
        ...


class DiskImports(Protocol):
    """The steps from a file to a stored disk; `work` names one import.

    Every step may run again, also after the process died in the middle. DiskImageFailed and DownloadFailed
    say what is wrong with the file. Nothing of an import is visible before `publish`.
    """

    def expect(self, upload: str, size_bytes: int) -> None:
        """Prepare to receive a file; DiskImageFailed if it is too large or there is too little room."""
        ...

    def receive(self, upload: str) -> "Receiver":
        """Write an expected file, from its beginning; NotFound."""
        ...

    def find_upload(self, upload: str) -> UploadedFile | None:
        """A file that was received completely."""
        ...

    def fetch(self, work: str, source: ImageSource, progress: Progress) -> FetchedFile:
        """Get the file and check its hash; a download continues where an earlier attempt ended."""
        ...

    def unpack(self, work: str, what: str, progress: Progress) -> UnpackedDisk:
        """Find out what the file is by reading it, and decompress it within the limits."""
        ...

    def convert(self, work: str, what: str, disk: UnpackedDisk, progress: Progress) -> ConvertedDisk:
        """Check the disk and write the forms in which it is stored."""
        ...

    def inspect(self, work: str) -> DiskContent:
        """Read what is inside the converted disk."""
        ...

    def publish(self, work: str, sha256: str) -> None:
        """Make the converted disk visible under its hash; a disk that is stored already stays."""
        ...

    def withdraw(self, work: str, sha256: str) -> None:
        """Delete the disk if this import published it."""
        ...

    def discard(self, work: str) -> None:
        """Delete everything of an import that is not published."""
        ...

    def discard_upload(self, upload: str) -> None:
        """Delete a file that a client sent, and what arrived of it."""
        ...

    def unfinished(self) -> list[str]:
        """The imports that have files here."""
        ...

    def uploads(self) -> dict[str, float]:
        """The files that clients sent, and when the last part arrived (seconds since the epoch)."""
        ...


class Receiver(Protocol):
    """A file that is arriving."""

    def write(self, chunk: bytes) -> None:
        """Append; DiskImageFailed beyond the size limit or on a full disk."""
        ...

    def finish(self) -> UploadedFile:
        """The file has arrived completely."""
        ...

    def abort(self) -> None:
        """Delete what has arrived."""
        ...


class ImageDocuments(Protocol):
    """Small documents about images on web servers."""

    def read(self, url: str, limit_bytes: int) -> bytes:
        """A whole document; DownloadFailed."""
        ...

    def read_signed(self, url: str, keyring: bytes, limit_bytes: int) -> bytes:
        """The text of a document with an inline signature of one of the keyring's keys; DiskImageFailed."""
        ...


class DiskBuilds(Protocol):
    """The steps from a recipe to a raw disk; `work` names one build.

    The disk takes the place of the file that `DiskImports.fetch` gets. Every step may run again, also after
    the process died in the middle.
    """

    def check(self, build: DiskBuild) -> str:
        """The title of what is built; InvalidValue for what the recipe does not have.

        DiskImageFailed if a program is missing here.
        """
        ...

    def install(self, work: str, build: DiskBuild, progress: Progress) -> InstalledSystem:
        """Install the packages into a folder and pack it; DiskImageFailed."""
        ...

    def assemble(self, work: str, build: DiskBuild, progress: Progress) -> FetchedFile:
        """Make the raw disk of what was packed; DiskImageFailed."""
        ...

    def discard_build(self, work: str) -> None:
        """Delete everything of a build except the raw disk, which belongs to the import."""
        ...
