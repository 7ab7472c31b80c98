"""Checks an unpacked disk and writes its stored forms: qcow2, and the raw disk compressed by zstd."""

import hashlib
import json
import subprocess
from io import BufferedReader
from pathlib import Path

from hostloom.images.limits import (
    GIB,
    MIB,
    Confined,
    ImportLimits,
    run_confined,
    running,
)
from hostloom.model.disk_import import ConvertedDisk, DiskFileFormat, UnpackedDisk
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.ports.disk_images import Progress

_CHUNK = MIB
#: qemu-img maps its libraries and its threads' stacks into far more than it uses.
_MEMORY = 4 * GIB


def check_disk(disk: Path, unpacked: UnpackedDisk, limits: ImportLimits, what: str) -> None:
    """Let qemu-img read all metadata of a qcow2 disk; DiskImageFailed if it is not what its header said."""
    if unpacked.format is not DiskFileFormat.QCOW2:
        return
    confined = Confined(memory_bytes=_MEMORY, cpu_s=min(300, limits.cpu_s))
    info = json.loads(
        run_confined(["qemu-img", "info", "--output=json", "-f", "qcow2", str(disk)], confined, what)
    )
    beside = [name for name in ("backing-filename", "full-backing-filename", "encrypted") if info.get(name)]
    if beside or info.get("format") != "qcow2" or info.get("virtual-size") != unpacked.virtual_size_bytes:
        raise DiskImageFailed(what, f"qemu-img reads it differently than its header ({', '.join(beside)})")
    run_confined(["qemu-img", "check", "-q", "-f", "qcow2", str(disk)], confined, what)


def to_raw(disk: Path, raw: Path, unpacked: UnpackedDisk, limits: ImportLimits, what: str) -> None:
    """Write the raw disk; a raw one is only linked."""
    raw.unlink(missing_ok=True)
    if unpacked.format is DiskFileFormat.RAW:
        raw.hardlink_to(disk)
        return
    confined = Confined(_MEMORY, limits.cpu_s, file_bytes=unpacked.virtual_size_bytes)
    run_confined(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(disk), str(raw)], confined, what)


def to_qcow2(raw: Path, target: Path, limits: ImportLimits, what: str) -> int:
    """Write the stored qcow2 file; its size."""
    target.unlink(missing_ok=True)
    confined = Confined(_MEMORY, limits.cpu_s, file_bytes=raw.stat().st_size + GIB)
    options = ["-o", "compat=1.1,preallocation=off"]
    run_confined(
        ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", *options, str(raw), str(target)], confined, what
    )
    return target.stat().st_size


def to_stream(raw: Path, target: Path, limits: ImportLimits, what: str, progress: Progress) -> ConvertedDisk:
    """Compress the raw disk and hash it on the way; the size of the qcow2 file is left 0."""
    target.unlink(missing_ok=True)  # a program of an earlier attempt may still have it open
    digest, size = hashlib.sha256(), raw.stat().st_size
    confined = Confined(_MEMORY, limits.cpu_s, file_bytes=2 * size + GIB)
    with (
        raw.open("rb") as opened,
        target.open("wb") as output,
        running(
            ["zstd", "-q", "-3", "-T0", "-c"], confined, stdin=subprocess.PIPE, stdout=output.fileno()
        ) as program,
    ):
        done = 0
        try:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
                program.stdin.write(chunk)
                done += len(chunk)
                progress(done, size)
            program.stdin.close()
        except BrokenPipeError:
            pass  # zstd has ended, and its exit code says why
        program.check(what)
    with target.open("rb") as opened:
        stream_sha256 = hash_file(opened)
    return ConvertedDisk(digest.hexdigest(), size, 0, stream_sha256, target.stat().st_size)


def hash_file(opened: BufferedReader) -> str:
    """The SHA-256 of the rest of a file."""
    return hashlib.file_digest(opened, "sha256").hexdigest()
