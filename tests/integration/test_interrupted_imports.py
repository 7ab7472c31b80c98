"""Imports of disk images that are interrupted: by the server's death, or by the user."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from hostloom.client import Client, Target
from support.disk_images import a_disk
from support.image_server import ImageServer, serving_images
from support.sshd import free_port

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
        yield lambda: stack.enter_context(_serving(tmp_path))


@contextmanager
def _serving(directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    settings = {
        "STATE_DIR": directory / "state",
        "SOCKET": directory / "s",
        "LISTEN": f"127.0.0.1:{free_port()}",
        "IMAGE_URLS_LOCAL": "true",
    }
    environment = os.environ | {f"HOSTLOOM_{name}": str(value) for name, value in settings.items()}
    log = directory / f"log-{environment['HOSTLOOM_LISTEN']}"
    with log.open("wb") as opened:
        argv = [sys.executable, "-m", "hostloom.cli", "serve"]
        process = subprocess.Popen(argv, env=environment, stdout=opened, stderr=opened)
    with process:
        try:
            while "serving" not in log.read_text():
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def left_over(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "state/images/disks").rglob("*") if path.is_file())


def test_a_server_that_is_killed_in_the_middle_of_a_download_continues_it(
    start: Start, web: ImageServer, tmp_path: Path
) -> None:
    first = start()
    with Client(Target(socket=tmp_path / "s")) as client:
        operation = client.disk_images.create({"url": f"{web.url}/disk", "name": "debian"})
        assert web.held.wait(60)
        while sum(path.stat().st_size for path in tmp_path.rglob("source.part")) < SENT // 2:
            assert first.poll() is None
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
