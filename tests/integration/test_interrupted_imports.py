"""Imports of disk images that are interrupted: by the server's death, or by the user."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest

from hostloom.client import Client, Target
from support.disk_images import a_disk
from support.image_server import ImageServer, serving_images
from support.server_process import serving_process
from support.waiting import wait_until

CONTENT = a_disk("Debian").ljust(8 * 2**20, b"x")
SENT = 4 * 2**20
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def web() -> Iterator[ImageServer]:
    """A server that stops in the middle of the disk."""
    with serving_images() as server:
        server.add("/disk", CONTENT)
        server.holds["/disk"] = SENT
        yield server
        server.released.set()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server process on one directory; what still runs at the end is killed."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(serving_process(tmp_path, IMAGE_URLS_LOCAL="true"))


def _fetched_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("source.part"))


def left_over(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "images/disks").rglob("*") if path.is_file())


def test_a_server_that_is_killed_in_the_middle_of_a_download_continues_it(
    start: Start, web: ImageServer, tmp_path: Path
) -> None:
    first = start()
    with Client(Target(socket=tmp_path / "s")) as client:
        operation = client.disk_images.create({"url": f"{web.url}/disk", "name": "debian"})
        assert web.held.wait(60)
        wait_until(lambda: _fetched_bytes(tmp_path) >= SENT // 2, "half of what was sent is stored")
    first.kill()
    first.wait()
    assert "disk.qcow2" not in left_over(tmp_path)
    web.released.set()
    start()
    with Client(Target(socket=tmp_path / "s")) as client:
        *_, done = client.follow(operation["id"])
        assert done["state"] == "succeeded", done
        assert client.disk_images.get("debian")["sha256"] == sha256(CONTENT).hexdigest()
    (_, begun), (_, continued) = web.requests
    assert begun == ""
    assert SENT // 2 <= int(continued.removeprefix("bytes=").removesuffix("-")) <= SENT
    assert left_over(tmp_path) == ["disk.qcow2", "disk.raw.zst", "published-by"]


def test_an_import_that_is_cancelled_in_the_middle_leaves_nothing(
    start: Start, web: ImageServer, tmp_path: Path
) -> None:
    start()
    with Client(Target(socket=tmp_path / "s")) as client:
        operation = client.disk_images.create({"url": f"{web.url}/disk", "name": "debian"})
        assert web.held.wait(60)
        client.operations.cancel(operation["id"])
        web.released.set()
        *_, done = client.follow(operation["id"])
        assert done["state"] == "cancelled", done
        assert client.disk_images.list() == []
    assert left_over(tmp_path) == []
