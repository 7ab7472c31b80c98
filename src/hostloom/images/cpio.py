"""Writes an initramfs as a `newc` cpio archive; equal content gives equal bytes.

Files are read one by one while the archive is written: all modules of a kernel take hundreds of MiB.

The form is described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import gzip
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

_ALIGN = 4
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True)
class ArchiveEntry:
    """A file, or a symbolic link if `link` is set."""

    content: bytes = b""
    is_executable: bool = False
    link: str = ""
    #: Reads the content when it is needed; replaces `content`.
    source: Callable[[], bytes] | None = None

    def read(self) -> bytes:
        """The bytes in the archive."""
        return self.link.encode() or (self.content if self.source is None else self.source())


def pack(entries: Mapping[str, ArchiveEntry], target: BinaryIO) -> None:
    """Write a compressed archive of files by path (`bin/busybox`); parent folders are added."""
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=target, mtime=0) as compressed:
        for record in archive_records(entries):
            compressed.write(record)


def archive_records(entries: Mapping[str, ArchiveEntry]) -> Iterator[bytes]:
    """The parts of the archive, sorted by path, with one owner and without times."""
    folders = sorted(_folders(entries))
    for number, path in enumerate(folders, 1):
        yield _record(number, path, stat.S_IFDIR | 0o755, b"")
    for number, (path, entry) in enumerate(sorted(entries.items()), len(folders) + 1):
        yield _record(number, path, _mode(entry), entry.read())
    yield _record(0, _TRAILER, 0, b"")


def _folders(paths: Iterable[str]) -> set[str]:
    return set(_above(paths))


def _above(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield from (str(parent) for parent in PurePosixPath(path).parents if str(parent) != ".")


def _mode(entry: ArchiveEntry) -> int:
    if entry.link:
        return stat.S_IFLNK | 0o777
    return stat.S_IFREG | (0o755 if entry.is_executable else 0o644)


def _record(number: int, name: str, mode: int, content: bytes) -> bytes:
    links = 2 if stat.S_ISDIR(mode) else 1
    path = name.encode() + b"\0"
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGN)
