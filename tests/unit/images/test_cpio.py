import gzip
import io
import subprocess
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

from hostloom.images.cpio import ArchiveEntry, archive_records, pack

FILES = {
    "init": ArchiveEntry(b"#!/bin/sh\n", is_executable=True),
    "etc/deep/odd": ArchiveEntry(b"12345"),
    "bin/sh": ArchiveEntry(link="busybox"),
    "empty": ArchiveEntry(),
}


def packed(entries: Mapping[str, ArchiveEntry]) -> bytes:
    target = io.BytesIO()
    pack(entries, target)
    return target.getvalue()


def test_a_cpio_program_unpacks_what_was_packed(tmp_path: Path) -> None:
    argv = ["busybox", "cpio", "-i", "-d"]
    done = subprocess.run(argv, cwd=tmp_path, input=b"".join(archive_records(FILES)), capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "init").read_bytes() == b"#!/bin/sh\n"
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc/deep/odd").read_bytes() == b"12345"
    assert (tmp_path / "etc/deep/odd").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "bin/sh").readlink() == Path("busybox")
    assert (tmp_path / "empty").read_bytes() == b""


def test_the_same_files_in_any_order_are_the_same_bytes() -> None:
    assert packed(FILES) == packed(dict(reversed(FILES.items())))


def test_records_are_of_no_time_and_of_root() -> None:
    archive = gzip.decompress(packed({"a": ArchiveEntry(b"x")}))
    # magic, inode, mode, uid, gid, links, mtime, size, …: eight hexadecimal digits each
    fields = [archive[6 + 8 * n : 14 + 8 * n] for n in range(13)]
    assert archive[:6] == b"070701"
    assert fields[1:7] == [b"000081A4", b"00000000", b"00000000", b"00000001", b"00000000", b"00000001"]
    assert len(archive) % 4 == 0


def test_other_content_is_other_bytes() -> None:
    archives = {
        packed({"a": each})
        for each in (ArchiveEntry(b"x"), ArchiveEntry(b"y"), ArchiveEntry(b"y", is_executable=True))
    }
    assert len(archives) == 3


def test_files_are_read_one_by_one() -> None:
    """An image for physical machines holds hundreds of MiB of modules; the server must not."""
    size, count = 4 << 20, 16
    entries = {f"lib/{number}.ko": ArchiveEntry(source=lambda: bytes(size)) for number in range(count)}
    tracemalloc.start()
    target = io.BytesIO()
    pack(entries, target)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(gzip.decompress(target.getvalue())) > size * count
    assert peak < 4 * size
