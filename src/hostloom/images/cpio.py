"""An initramfs as bytes: a cpio archive of the `newc` form, the same bytes for the same content; pure.

The form is described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import gzip
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_ALIGN = 4
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True)
class Entry:
    """A file, or with `link` a symbolic link."""

    content: bytes = b""
    is_executable: bool = False
    link: str = ""


def pack(entries: Mapping[str, Entry]) -> bytes:
    """A compressed archive of files by path (`bin/busybox`); the folders above them are added."""
    return gzip.compress(write_archive(entries), 6, mtime=0)


def write_archive(entries: Mapping[str, Entry]) -> bytes:
    """In the order of their paths, of one owner, and of no time."""
    folders = sorted(_folders(entries))
    parts = [_record(number, path, stat.S_IFDIR | 0o755, b"") for number, path in enumerate(folders, 1)]
    for number, (path, entry) in enumerate(sorted(entries.items()), len(folders) + 1):
        parts.append(_record(number, path, _mode(entry), entry.link.encode() or entry.content))
    parts.append(_record(0, _TRAILER, 0, b""))
    return b"".join(parts)


def _folders(paths: Iterable[str]) -> set[str]:
    return set(_above(paths))


def _above(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield from (str(parent) for parent in PurePosixPath(path).parents if str(parent) != ".")


def _mode(entry: Entry) -> int:
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
