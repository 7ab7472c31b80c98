"""Decompresses the file of an import within limits; zeros become holes."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from hostloom.images.disk_formats import HEAD_BYTES, check_size, find_compression, find_format
from hostloom.images.limits import MIB, Confined, ConfinedProgram, ImportLimits, running
from hostloom.model.disk_import import Compression, UnpackedDisk
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.ports.disk_images import Progress

CHUNK = MIB
_BLOCK = 64 * 1024
_ZEROS = bytes(_BLOCK)
#: Memory limit of a decompressor: xz needs 65 MiB for files made with `xz -9`, zstd 128 MiB with `--long`.
_MEMORY = 512 * MIB
_PROGRAMS = {
    Compression.XZ: ("xz", "-dc", "-T1", "--memlimit-decompress=256MiB"),
    Compression.GZIP: ("gzip", "-dc"),
    Compression.ZSTD: ("zstd", "-dc", "-q", "--memory=256MB"),
    Compression.BZIP2: ("bzip2", "-dc"),
}


def unpack(source: Path, target: Path, limits: ImportLimits, what: str, progress: Progress) -> UnpackedDisk:
    """Write the disk without its compression; DiskImageFailed if it is no disk or too large."""
    with source.open("rb") as opened:
        compression = find_compression(opened.read(HEAD_BYTES))
    if compression is Compression.NONE:
        target.unlink(missing_ok=True)
        target.hardlink_to(source)
    else:
        _decompress(source, target, compression, limits, what, progress)
    with target.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
    if compression is not Compression.NONE and find_compression(head) is not Compression.NONE:
        raise DiskImageFailed(what, "it is compressed more than once; decompress it and import the result")
    disk_format, size_bytes = find_format(head, what)
    if size_bytes is None:
        size_bytes = target.stat().st_size
    check_size(size_bytes, limits.disk_bytes, what)
    return UnpackedDisk(disk_format, compression, size_bytes)


def _decompress(
    source: Path,
    target: Path,
    compression: Compression,
    limits: ImportLimits,
    what: str,
    progress: Progress,
) -> None:
    total = source.stat().st_size
    most = min(limits.disk_bytes, max(limits.expansion_floor_bytes, total * limits.expansion))
    confined = Confined(memory_bytes=_MEMORY, cpu_s=limits.cpu_s)
    with (
        source.open("rb") as opened,
        target.open("wb") as disk,
        running(_PROGRAMS[compression], confined, stdin=subprocess.PIPE) as program,
        _feeding(program, opened),
    ):
        head, count = b"", 0
        while chunk := program.stdout.read(CHUNK):
            count += len(chunk)
            if count > most:
                raise DiskImageFailed(what, _too_much(total, most, limits))
            if len(head) < HEAD_BYTES:
                head += chunk[: HEAD_BYTES - len(head)]
                _refuse_early(head, what)
            write_sparse(disk, chunk)
            progress(opened.tell(), total)
        disk.truncate(count)
        program.check(f"{what} is damaged or cut off, so it")


def _refuse_early(head: bytes, what: str) -> None:
    """Refuse a file that is no disk before much of it is written."""
    if len(head) == HEAD_BYTES and find_compression(head) is Compression.NONE:
        find_format(head, what)


def _too_much(total: int, most: int, limits: ImportLimits) -> str:
    if most == limits.disk_bytes:
        return (
            f"it expands to more than {limits.disk_bytes / 2**30:g} GiB "
            "(`max_image_gib` in the server's configuration)"
        )
    return f"its {total} bytes expand to more than {most // MIB} MiB, which no disk image does"


@contextmanager
def _feeding(program: ConfinedProgram, source: BinaryIO) -> Iterator[None]:
    """Send a file to a program's input, in a thread: its output is read meanwhile."""

    def feed() -> None:
        try:
            while chunk := source.read(CHUNK):
                program.stdin.write(chunk)
        except (BrokenPipeError, ValueError):
            pass  # the program has ended, and its exit code says why
        finally:
            with suppress(BrokenPipeError):
                program.stdin.close()

    thread = threading.Thread(target=feed, name="decompress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        program.kill()
        thread.join()


def write_sparse(disk: BinaryIO, chunk: bytes) -> None:
    """Append bytes; blocks of zeros become holes."""
    view = memoryview(chunk)
    for start in range(0, len(view), _BLOCK):
        block = view[start : start + _BLOCK]
        if block == _ZEROS[: len(block)]:
            disk.seek(len(block), 1)
        else:
            disk.write(block)
