"""The folder of disk images: `disks/SHA256/` contains a complete disk, work in progress is beside it."""

import os
import re
import shutil
import uuid
from pathlib import Path

from hostloom.images.disk_formats import find_compression
from hostloom.model.disk_import import Compression
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.resources import NotFound

#: Names of the two files of a disk.
DISK, STREAM = "disk.qcow2", "disk.raw.zst"
#: In the descriptor of a frame, which follows the magic number.
_HAS_CHECKSUM = 4
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DiskDirectory:
    """The folder `disks` in the folder `image_dir` of the settings."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "disks"

    def list(self) -> list[str]:
        """The SHA-256 of every stored disk, sorted."""
        if not self._directory.is_dir():
            return []
        return sorted(path.name for path in self._directory.iterdir() if _SHA256.fullmatch(path.name))

    def disk(self, sha256: str) -> Path:
        """The qcow2 file; NotFound."""
        return self._file(sha256, DISK)

    def stream(self, sha256: str) -> Path:
        """The compressed raw disk; NotFound."""
        return self._file(sha256, STREAM)

    def stream_checksum(self, sha256: str) -> str:
        """The last four bytes of a frame (RFC 8878, section 3.1.1); DiskImageFailed if it has none."""
        with self.stream(sha256).open("rb") as stream:
            head = stream.read(5)
            stream.seek(-4, os.SEEK_END)
            tail = stream.read(4)
        if find_compression(head) is not Compression.ZSTD or not head[4] & _HAS_CHECKSUM:
            raise DiskImageFailed(f"stream of disk {sha256}", "it has no checksum; import the image again")
        return tail[::-1].hex()

    def delete(self, sha256: str) -> None:
        """Delete both files."""
        folder = self._directory / sha256
        if not _SHA256.fullmatch(sha256) or not folder.is_dir():
            return
        delete_folder(folder)

    def _file(self, sha256: str, name: str) -> Path:
        path = self._directory / sha256 / name
        if not _SHA256.fullmatch(sha256) or not path.is_file():
            raise NotFound("file of disk image", sha256)
        return path


def delete_folder(folder: Path) -> None:
    """Delete a folder, and what interrupted deletions have left; a rename makes it invisible at once."""
    folder.rename(folder.with_name(f".gone-{uuid.uuid4().hex}"))
    for leftover in folder.parent.glob(".gone-*"):
        shutil.rmtree(leftover, ignore_errors=True)
