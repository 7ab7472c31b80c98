"""Boot images over the real API, client, worker and command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hostloom.client import Client, Problem, Target
from support.server import Running


@pytest.fixture
def client(working: Running) -> Iterator[Client]:
    with Client(Target(socket=working.socket)) as found:
        yield found


def hostloom(server: Running, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOSTLOOM_SOCKET": str(server.socket), "NO_COLOR": "1"}
    argv = [sys.executable, "-m", "hostloom.cli", "image", *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True)


def test_an_image_is_built_listed_shown_and_deleted(client: Client) -> None:
    assert client.images.list() == []
    for flavour in ("virtual", "generic"):
        *_, done = client.follow(client.images.create({"flavour": flavour})["id"])
        assert done["state"] == "succeeded"
    names = [each["name"] for each in client.images.list()]
    assert [each.split("-")[0] for each in names] == ["generic", "virtual"]
    assert client.images.list(limit=1)[0]["name"] == names[0]
    assert [each["name"] for each in client.images.get(names[1])["files"]] == ["initrd", "kernel"]
    client.images.delete(names[0])
    with pytest.raises(Problem) as gone:
        client.images.get(names[0])
    assert gone.value.code == "not-found"
    assert any(each["kind"] == "image-built" for each in client.events.list())


def test_the_command_line(working: Running) -> None:
    empty = hostloom(working, "list")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "hostloom image build" in empty.stderr
    built = hostloom(working, "build", "-o", "json")
    assert built.returncode == 0, built.stderr
    assert "fetch: done" in built.stderr
    name = json.loads(built.stdout)["name"]
    assert name in hostloom(working, "list").stdout
    assert "kernel" in hostloom(working, "show", name).stdout
    assert hostloom(working, "build", "huge").returncode == 2
    assert hostloom(working, "delete", name, "--yes").returncode == 0
    assert hostloom(working, "show", name).returncode == 1
