"""Disk images over the real API, client, worker, command line and tools."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from hostloom.api.middleware import MAX_BUFFERED_BYTES
from hostloom.client import Client, Problem, Target
from support.disk_images import a_disk
from support.gpg import Key, made_key
from support.image_server import ImageServer, serving_images
from support.made_disks import as_qcow2, compressed, make_disk, make_other_disk
from support.mirror import Mirror
from support.server import Running
from support.waiting import wait_until


@pytest.fixture
def client(working: Running) -> Iterator[Client]:
    with Client(Target(socket=working.socket)) as connected:
        yield connected


@pytest.fixture
def web() -> Iterator[ImageServer]:
    with serving_images() as server:
        yield server


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw disk of Debian."""
    return make_disk(tmp_path_factory.mktemp("disks") / "debian-12-genericcloud-amd64.raw")


def hostloom(server: Running, *words: str, columns: int = 120) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HOSTLOOM_SOCKET": str(server.socket),
        "NO_COLOR": "1",
        "COLUMNS": str(columns),
    }
    argv = [sys.executable, "-m", "hostloom.cli", "image", *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def folder_of(server: Running) -> Path:
    return server.socket.parent / "images" / "disks"


def left_over(server: Running) -> list[str]:
    """The paths of everything in the folder of disk images."""
    folder = folder_of(server)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_imported_listed_shown_and_deleted_by_the_command_line(
    working: Running, debian: Path
) -> None:
    file = compressed(as_qcow2(debian, debian.with_suffix(".qcow2")), "xz")
    done = hostloom(working, "import", str(file), "--name", "debian-12", "--title", "Debian for tests")
    assert done.returncode == 0, done.stderr
    assert "image debian-12 is imported: debian 12 amd64" in done.stdout
    assert "convert: done" in done.stderr
    listed = hostloom(working, "list", columns=80)
    assert "debian-12" in listed.stdout
    assert max(len(line) for line in listed.stdout.splitlines()) <= 80
    (item,) = json.loads(hostloom(working, "list", "--kind", "disk", "-o", "json").stdout)
    assert (item["kind"], item["sha256"]) == ("disk", sha256(debian.read_bytes()).hexdigest())
    shown = hostloom(working, "show", "debian-12").stdout
    for text in ("Debian for tests", "bookworm", "bios, uefi", "cloud-init", item["sha256"]):
        assert text in shown
    assert left_over(working) == [
        f"{item['sha256']}/{name}" for name in ("disk.qcow2", "disk.raw.zst", "published-by")
    ]
    assert hostloom(working, "delete", "debian-12", "--yes").returncode == 0
    assert left_over(working) == []
    assert hostloom(working, "show", "debian-12").returncode == 1


def test_the_stored_files_are_the_disk(client: Client, working: Running, debian: Path) -> None:
    content = debian.read_bytes()
    sent = client.send_disk_image(iter([content]), len(content), "debian-12")
    *_, done = client.follow(client.disk_images.create({"name": "debian-12", "upload": sent["id"]})["id"])
    assert done["state"] == "succeeded", done
    image = client.disk_images.get("debian-12")
    folder = folder_of(working) / image["sha256"]
    raw = folder.parent.parent / "raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(folder / "disk.qcow2"), str(raw)], check=True)
    assert raw.read_bytes() == content
    stream = (folder / "disk.raw.zst").read_bytes()
    assert sha256(stream).hexdigest() == image["stream_sha256"]
    assert subprocess.run(["zstd", "-dc"], input=stream, capture_output=True, check=True).stdout == content
    assert [event["kind"] for event in client.events.list(limit=1)] == ["image-imported"]


def test_a_url_is_imported_with_a_list_of_checksums(client: Client, web: ImageServer, debian: Path) -> None:
    content = debian.read_bytes()
    url = web.add("/noble/debian.raw", content)
    sums = web.add(
        "/noble/SHA256SUMS", f"{'0' * 64} *other\n{sha256(content).hexdigest()} *debian.raw\n".encode()
    )
    operation = client.disk_images.create({"url": url + "?token=secret", "sha256sums": sums})
    *_, done = client.follow(operation["id"])
    assert done["state"] == "succeeded", done
    fetch = next(step for step in done["steps"] if step["name"] == "fetch")
    assert fetch["total_bytes"] == len(content)
    image = client.disk_images.get("debian")
    assert image["source"] == url
    assert image["default_user"] == "debian"


def test_a_disk_that_cannot_be_read_inside_is_described_by_options(working: Running, tmp_path: Path) -> None:
    file = make_other_disk(tmp_path / "Rocky-9-GenericCloud.raw", b"XFSB", 0)
    words = ("--os", "rocky", "--release", "9", "--user", "rocky", "--cloud-init")
    done = hostloom(working, "import", str(file), *words)
    assert done.returncode == 0, done.stderr
    assert "warning: the operating system is not known, because" in done.stderr
    assert "a file system of the kind xfs cannot be read" in done.stderr
    image = json.loads(hostloom(working, "show", "rocky-9-genericcloud", "-o", "json").stdout)
    assert (image["os"], image["release"], image["architecture"]) == ("rocky", "9", "amd64")
    assert (image["default_user"], image["has_cloud_init"], image["has_kvm"]) == ("rocky", True, None)


def test_a_failed_import_says_what_and_leaves_nothing(
    working: Running, client: Client, tmp_path: Path, debian: Path
) -> None:
    base = as_qcow2(debian, tmp_path / "base.qcow2")
    overlay = tmp_path / "overlay.qcow2"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", "qcow2", str(overlay)], check=True
    )
    done = hostloom(working, "import", str(overlay), "--name", "overlay")
    assert done.returncode == 1
    assert "overlay.qcow2 cannot be imported: it has a backing file, so it is incomplete" in done.stderr
    assert "everything it did is undone" in done.stderr
    assert client.disk_images.list() == []
    assert left_over(working) == []


def test_a_name_that_is_taken_is_refused_before_the_file_is_sent(
    working: Running, tmp_path: Path, client: Client
) -> None:
    file = tmp_path / "disk.raw"
    file.write_bytes(a_disk("one"))
    assert hostloom(working, "import", str(file), "--name", "one").returncode == 0
    file.write_bytes(a_disk("two"))
    again = hostloom(working, "import", str(file), "--name", "one")
    assert (again.returncode, "disk image 'one' exists already" in again.stderr) == (3, True)
    assert hostloom(working, "import", str(file), "--name", "one", "--replace").returncode == 0
    image = client.disk_images.get("one")
    assert image["sha256"] == sha256(a_disk("two")).hexdigest()
    assert {path.split("/")[0] for path in left_over(working)} == {image["sha256"]}
    same = hostloom(working, "import", str(file), "--name", "other")
    assert "disk image 'one' has the same content already" in same.stderr


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://images.example/x", "name": "x"}, "url"),
        ({"url": "https://user:pw@images.example/x", "name": "x"}, "url"),
        ({"url": "https://images.example/x", "upload": "u", "name": "x"}, "url"),
        ({"url": "https://images.example/x", "name": "X!"}, "name"),
        ({"url": "https://images.example/12.qcow2"}, "name"),
        ({"url": "https://images.example/"}, "name"),
        ({"url": "https://images.example/x", "sha256": "12"}, "sha256"),
        ({"url": "https://images.example/x", "sha256sums": "file:///etc/passwd"}, "sha256sums"),
        ({"url": "https://images.example/x", "os": "x" * 101}, "os"),
        ({"url": "https://images.example/x", "boot_modes": ["coreboot"]}, "boot_modes"),
    ],
)
def test_a_wrong_request_names_its_field(client: Client, body: dict[str, object], field: str) -> None:
    with pytest.raises(Problem) as refused:
        client.disk_images.create(body)
    assert refused.value.status == 422
    assert field in str(refused.value)
    assert client.operations.list() == []


def test_a_mirror_is_synchronized_and_then_has_nothing_new(
    working: Running, client: Client, web: ImageServer
) -> None:
    mirror = Mirror(web)
    mirror.add("debian", "12", "20260901", a_disk("debian old"))
    mirror.add("debian", "12", "20260915", a_disk("debian new"))
    mirror.add("ubuntu", "24.04", "20260910", a_disk("ubuntu"))
    planned = hostloom(working, "sync", mirror.url, "--filter", "os=debian", "--plan", columns=80)
    assert planned.returncode == 0, planned.stderr
    assert "debian-12-amd64" in planned.stdout
    assert "20260915" in planned.stdout
    assert "ubuntu" not in planned.stdout
    assert client.operations.list() == []
    assert hostloom(working, "sync", mirror.url).returncode == 0
    images = {image["name"]: image for image in client.disk_images.list()}
    assert sorted(images) == ["debian-12-amd64", "ubuntu-24.04-amd64"]
    debian = images["debian-12-amd64"]
    assert debian["sha256"] == sha256(a_disk("debian new")).hexdigest()
    assert (debian["os"], debian["release"], debian["architecture"]) == ("debian", "12", "amd64")
    again = hostloom(working, "sync", mirror.url)
    assert "every image is here in its newest version" in again.stderr
    mirror.add("debian", "12", "20261001", a_disk("debian newest"))
    answer = client.sync_disk_images({"url": mirror.url})
    assert {item["image"]["name"]: item["action"] for item in answer["items"]} == {
        "debian-12-amd64": "replace",
        "ubuntu-24.04-amd64": "keep",
    }
    *_, done = client.follow(answer["items"][0]["operation_id"])
    assert done["state"] == "succeeded", done
    assert (
        client.disk_images.get("debian-12-amd64")["source_sha256"]
        == sha256(a_disk("debian newest")).hexdigest()
    )


@pytest.fixture
def key(tmp_path: Path) -> Iterator[Key]:
    yield from made_key(tmp_path / "gpg")


def test_with_a_keyring_the_documents_of_a_mirror_must_be_signed(
    working: Running, client: Client, web: ImageServer, tmp_path: Path, key: Key
) -> None:
    mirror, keyring = Mirror(web), tmp_path / "keyring.gpg"
    mirror.add("debian", "12", "20260915", a_disk("debian"))
    keyring.write_bytes(key.keyring)
    missing = hostloom(working, "sync", mirror.url, "--keyring", str(keyring), "--plan")
    assert missing.returncode == 1
    assert "index.sjson cannot be downloaded: the server answers 404" in missing.stderr
    mirror.publish(key.sign)
    done = hostloom(working, "sync", mirror.url, "--keyring", str(keyring))
    assert done.returncode == 0, done.stderr
    assert [image["name"] for image in client.disk_images.list()] == ["debian-12-amd64"]
    mirror.publish(lambda content: key.sign(content).replace(b"index:1.0", b"index:1.1"))
    forged = hostloom(working, "sync", mirror.url, "--keyring", str(keyring))
    assert forged.returncode == 1
    assert "has no valid signature of the keyring" in forged.stderr


def test_a_mirror_that_lies_about_a_hash_gives_nothing(
    client: Client, web: ImageServer, working: Running
) -> None:
    mirror = Mirror(web)
    mirror.add("debian", "12", "1", a_disk("debian"), sha256="0" * 64)
    (item,) = client.sync_disk_images({"url": mirror.url})["items"]
    *_, done = client.follow(item["operation_id"])
    assert done["state"] == "failed"
    assert "its SHA-256 is" in done["error"]
    assert client.disk_images.list() == []
    assert left_over(working) == []


def test_an_ordinary_user_may_see_images_but_not_send_any(client: Client, working: Running) -> None:
    client.users.create({"name": "ann"})
    token = client.tokens.create({"user": "ann", "name": "laptop"})["text"]
    with Client(Target(url=working.url, token=token)) as ann:
        assert ann.disk_images.list() == []
        with pytest.raises(Problem) as refused:
            ann.send_disk_image(iter([]), 1000, None)
        assert refused.value.status == 403
        with pytest.raises(Problem) as refused:
            ann.disk_images.create({"url": "https://images.example/x", "name": "x"})
        assert refused.value.status == 403
    assert left_over(working) == []


def test_a_file_larger_than_all_bodies_together_may_be_is_written_as_it_arrives(
    client: Client, working: Running
) -> None:
    block, count = bytes(2**20), MAX_BUFFERED_BYTES // 2**20 + 8
    sent = client.send_disk_image(iter([block] * count), count * 2**20, "large")
    assert sent["size_bytes"] == count * 2**20
    assert sent["sha256"] == sha256(block * count).hexdigest()
    assert left_over(working) == [f".uploads/{sent['id']}", f".uploads/{sent['id']}.json"]


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(working: Running) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(working.socket)), base_url="http://x") as http:
        upload = http.post("/api/v1/disk-images/uploads", json={"size_bytes": 9_000_000}).json()["id"]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(working.socket))
        request = f"PUT /api/v1/disk-images/uploads/{upload} HTTP/1.1"
        head = f"{request}\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
        connection.sendall(head.encode() + bytes(3 * 2**20))
        wait_until(
            lambda: any(path.stat().st_size for path in folder_of(working).rglob(upload)), "a part is stored"
        )
    wait_until(lambda: left_over(working) == [], "the part is deleted")


@pytest.mark.parametrize(
    ("name", "size_bytes", "code"),
    [
        ("taken", 2**20, "already-exists"),
        ("new", 513 * 2**20, "disk-image-failed"),
        ("New!", 1, "invalid-value"),
        ("new", -1, "invalid-value"),
    ],
)
def test_a_file_is_refused_before_it_is_sent(
    client: Client, working: Running, name: str, size_bytes: int, code: str
) -> None:
    sent = client.send_disk_image(iter([a_disk()]), 512, "taken")
    *_, done = client.follow(client.disk_images.create({"name": "taken", "upload": sent["id"]})["id"])
    assert done["state"] == "succeeded"
    before = left_over(working)
    content: Iterator[bytes] = iter([])
    with pytest.raises(Problem) as refused:
        client.send_disk_image(content, size_bytes, name)
    assert refused.value.code == code, refused.value
    assert left_over(working) == before


def test_a_recipe_that_is_not_there_is_refused_with_those_that_are(working: Running) -> None:
    result = hostloom(working, "build", "debian-1")
    assert (result.returncode, "debian-12" in result.stderr) == (2, True), result.stderr


def test_a_boot_image_has_none_of_the_options_of_disk_images(working: Running) -> None:
    result = hostloom(working, "build", "generic", "--kvm")
    assert (result.returncode, "a boot image has no --kvm" in result.stderr) == (2, True), result.stderr
