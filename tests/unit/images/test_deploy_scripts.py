"""The commissioning environment writes and erases disks: its own scripts, on files instead of disks."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hostloom.images.initramfs import SCRIPTS
from hostloom.images.seed_disk import MtoolsSeedDisks

MIB = 2**20
TOKEN = "t" * 32
SERIAL = "SER-9"
GPT = """label: gpt
14: start=2048,size=2048,type=21686148-6449-6E6F-744E-656564454649
15: start=4096,size=32768,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
1: start=36864,type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
"""
DOS = "label: dos\nstart=2048,type=83,bootable\n"


@dataclass
class Site:
    """A server with orders for one machine, and the machine's files."""

    tree: Path
    raw: bytes
    stream: bytes
    seed: bytes
    orders: dict[str, str] = field(default_factory=dict)
    #: What the machine posted.
    posts: list[dict[str, Any]] = field(default_factory=list)
    #: The status of the answer to a post of a step.
    answers: dict[str, int] = field(default_factory=dict)
    #: The connection breaks after so many bytes of the stream, once each.
    breaks: list[int] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def disk(self) -> Path:
        return self.tree / "dev/vda"

    def run(self) -> str:
        """Carry out the orders; what the machine does next."""
        roots = {name: str(self.tree / name.lower()) for name in ("SYS", "PROC", "RUN", "DEV", "BIN")}
        sources = "; ".join(f". {SCRIPTS}/{name}.sh" for name in ("found", "network", "disk", "deploy"))
        path = f"{self.tree}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        more = {"PATH": path, "LC_ALL": "C", "PAUSE": "0", "DIRECT": "", "REPORT_EVERY": "100000"}
        code = f"url=http://127.0.0.1:{self.port}; {sources}; deploy; echo next=$next"
        done = subprocess.run(
            ["busybox", "ash", "-c", code], env=roots | more, capture_output=True, text=True, check=True
        )
        return done.stdout.rpartition("next=")[2].strip()

    def failure(self) -> dict[str, Any]:
        """The only post about a failure."""
        (post,) = [post for post in self.posts if "failure" in post]
        return post

    def part(self, number: str) -> tuple[int, int]:
        """Start and size of a partition in bytes."""
        dump = subprocess.run(
            ["/usr/sbin/sfdisk", "--dump", str(self.disk)], capture_output=True, text=True, check=True
        ).stdout
        match = re.search(rf"vda{number} : start= *(\d+), size= *(\d+)", dump)
        assert match, dump
        return int(match[1]) * 512, int(match[2]) * 512


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

        def answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            match self.path:
                case "/deployment":
                    text = "".join(f"{key}={value}\n" for key, value in site.orders.items())
                    self.answer(200, text.encode())
                case "/deployment/seed":
                    self.answer(200, site.seed)
                case "/deployment/stream":
                    self.send_stream(self.headers["Range"])

        def send_stream(self, wanted: str) -> None:
            site.ranges.append(wanted)
            rest = site.stream[int(wanted.removeprefix("bytes=").rstrip("-")) :]
            self.send_response(206)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: site.breaks.pop(0)] if site.breaks else rest)

        def do_POST(self) -> None:
            post = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            site.posts.append(post)
            self.answer(site.answers.get(post["step"], 200), b"{}")

    return Handler


def partitioned(folder: Path, table: str, size: int = 40 * MIB) -> bytes:
    """A disk with random data and a hole in its last partition."""
    file = folder / "made.raw"
    file.write_bytes(bytes(size))
    subprocess.run(["/usr/sbin/sfdisk", "-q", str(file)], input=table, text=True, check=True)
    with file.open("r+b") as disk:
        for mib in (20, 30, 35):
            disk.seek(mib * MIB)
            disk.write(os.urandom(MIB))
    return file.read_bytes()


def compress(raw: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-3", "-c"], input=raw, capture_output=True, check=True).stdout


def write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def add_disk(tree: Path, name: str, size: int, serial: str, model: str = "") -> None:
    """A disk that is full of another system's data."""
    path = tree / "sys/block" / name
    write(path / "size", f"{size // 512}\n")
    write(path / "removable", "0\n")
    write(path / "queue/logical_block_size", "512\n")
    write(path / "device/model", f"{model}\n")
    if serial:
        write(path / "serial", f"{serial}\n")
    (tree / "dev").mkdir(exist_ok=True)
    (tree / "dev" / name).write_bytes(b"\xff" * size)


BOTH_TABLES = pytest.mark.parametrize("raw", [GPT, DOS], ids=["gpt", "dos"], indirect=True)


@pytest.fixture(scope="module")
def raw(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return partitioned(tmp_path_factory.mktemp("raw"), getattr(request, "param", GPT))


@pytest.fixture(scope="module")
def seed() -> bytes:
    return MtoolsSeedDisks().build({"meta-data": "instance-id: i-1\n", "user-data": "#cloud-config\n"})


@pytest.fixture
def site(tmp_path: Path, raw: bytes, seed: bytes) -> Iterator[Site]:
    stream = compress(raw)
    site = Site(tmp_path, raw, stream, seed)
    add_disk(tmp_path, "vda", 64 * MIB, SERIAL)
    add_disk(tmp_path, "vdb", 64 * MIB, "OTHER")
    write(tmp_path / "proc/cmdline", f"hl.token={TOKEN}\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("dd", "sha256sum", "blkdiscard"):
        program = shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin")
        assert program is not None
        (tmp_path / "bin" / name).symlink_to(program)
    site.orders = {
        "order": "deploy",
        "disk_name": "vda",
        "disk_serial": SERIAL,
        "disk_model": "",
        "disk_size_bytes": str(64 * MIB),
        "stream": "/deployment/stream",
        "stream_size_bytes": str(len(stream)),
        "stream_sha256": hashlib.sha256(stream).hexdigest(),
        "stream_checksum": stream[-4:][::-1].hex(),
        "raw_size_bytes": str(len(raw)),
        "seed_sha256": hashlib.sha256(seed).hexdigest(),
        "end": "orders",
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def assert_written(site: Site) -> None:
    """The image is on the disk but for its partition tables, and the seed is behind it."""
    content = site.disk.read_bytes()
    assert len(content) == 64 * MIB
    # GPT has a second header at the end of the image, which moves to the end of the disk.
    assert content[MIB : 39 * MIB] == site.raw[MIB : 39 * MIB]
    start, size = site.part("2")
    assert (start, size) == (62 * MIB, MIB)
    assert content[start : start + len(site.seed)] == site.seed
    assert site.part("1")[0] in (MIB, 18 * MIB)
    assert (site.tree / "dev/vdb").read_bytes() == b"\xff" * 64 * MIB


@BOTH_TABLES
def test_an_image_is_written_with_its_seed(site: Site) -> None:
    assert site.run() == "reboot"
    assert_written(site)
    assert [post["step"] for post in site.posts] == ["write", "verify", "boot"]
    assert site.posts[-1] == {
        "step": "boot",
        "done_bytes": len(site.raw),
        "total_bytes": len(site.raw),
        "is_done": True,
    }
    # Readable only by root: the machine's token.
    assert (site.tree / "run/authorization").stat().st_mode & 0o077 == 0


def test_holes_are_skipped_on_a_disk_that_zeroes_itself(site: Site) -> None:
    write(site.tree / "sys/block/vda/queue/write_zeroes_max_bytes", "1048576\n")
    fake = site.tree / "bin/blkdiscard"
    fake.unlink()
    write(
        fake,
        '#!/bin/sh\n[ "$2" = -z ] || exit 1\n'
        'exec dd if=/dev/zero of="$7" bs=1M seek="$4" count="$6" '
        "iflag=count_bytes oflag=seek_bytes conv=notrunc\n",
    )
    fake.chmod(0o755)
    assert site.run() == "reboot"
    assert_written(site)


def test_a_broken_connection_is_resumed_where_it_ended(site: Site) -> None:
    site.breaks = [100_000, 1_000_000]
    assert site.run() == "reboot"
    assert_written(site)
    assert site.ranges == ["bytes=0-", "bytes=100000-", "bytes=1100000-"]


def test_the_disk_is_found_again_under_another_name(site: Site) -> None:
    for folder in ("sys/block", "dev"):
        (site.tree / folder / "vda").rename(site.tree / folder / "vdc")
    assert site.run() == "reboot"
    (site.tree / "dev/vdc").rename(site.disk)
    assert_written(site)


@pytest.mark.parametrize(
    ("field", "value"),
    [("disk_serial", "GONE"), ("disk_size_bytes", str(65 * MIB)), ("disk_serial", "")],
    ids=["serial", "size", "no-serial-planned"],
)
@pytest.mark.parametrize("order", ["deploy", "erase"])
def test_no_other_disk_than_the_planned_one_is_touched(
    site: Site, field: str, value: str, order: str
) -> None:
    site.orders |= {field: value, "order": order}
    assert site.run() == "stay"
    text = site.failure()["failure"]
    assert "the planned disk is vda" in text and "vda (67108864 bytes" in text and "serial OTHER" in text
    for name in ("vda", "vdb"):
        assert (site.tree / "dev" / name).read_bytes() == b"\xff" * 64 * MIB


def test_two_disks_with_the_planned_serial_are_none(site: Site) -> None:
    write(site.tree / "sys/block/vdb/serial", f"{SERIAL}\n")
    assert site.run() == "stay"
    assert "2 disks match" in site.failure()["failure"]


def test_a_disk_without_serial_is_known_by_name_model_and_size(site: Site) -> None:
    (site.tree / "sys/block/vda/serial").unlink()
    write(site.tree / "sys/block/vda/device/model", "Fast Disk  \n")
    site.orders |= {"disk_serial": "", "disk_model": "Fast Disk"}
    assert site.run() == "reboot"
    assert_written(site)


def test_a_disk_with_large_sectors_is_refused(site: Site) -> None:
    write(site.tree / "sys/block/vda/queue/logical_block_size", "4096\n")
    assert site.run() == "stay"
    assert "sectors of 4096 bytes" in site.failure()["failure"]
    assert site.disk.read_bytes() == b"\xff" * 64 * MIB


@pytest.mark.parametrize(
    ("orders", "step", "text"),
    [
        ({"stream_sha256": "0" * 64}, "write", "arrived with SHA-256"),
        ({"stream_checksum": "00000000"}, "verify", "reads back with checksum"),
        ({"raw_size_bytes": str(8 * MIB)}, "write", "unpacks to more than the 8388608 bytes"),
        ({"raw_size_bytes": str(48 * MIB)}, "write", "its disk has 50331648"),
        ({"stream_size_bytes": "1000000000000"}, "write", "the image broke off"),
    ],
    ids=["hash", "read-back", "too-long", "too-short", "truncated"],
)
def test_a_wrong_image_does_not_start(site: Site, orders: dict[str, str], step: str, text: str) -> None:
    site.orders |= orders
    assert site.run() == "stay"
    failure = site.failure()
    assert failure["step"] == step
    assert text in failure["failure"]
    assert isinstance(failure["output"], list)
    assert site.disk.read_bytes()[:MIB] == bytes(MIB)


def test_a_seed_that_arrives_damaged_leaves_the_disk_alone(site: Site) -> None:
    site.orders["seed_sha256"] = "0" * 64
    assert site.run() == "stay"
    assert site.failure()["step"] == "seed"
    assert site.disk.read_bytes() == b"\xff" * 64 * MIB


@pytest.mark.parametrize("step", ["write", "verify", "boot"])
def test_a_deployment_that_the_server_has_ended_stops(site: Site, step: str) -> None:
    site.answers = {step: 403}
    assert site.run() == "stay"
    assert site.posts[-1]["step"] == step


def test_an_image_without_a_partition_table_is_refused(site: Site) -> None:
    site.raw = os.urandom(8 * MIB)
    site.stream = compress(site.raw)
    site.orders |= {
        "stream_size_bytes": str(len(site.stream)),
        "stream_sha256": hashlib.sha256(site.stream).hexdigest(),
        "stream_checksum": site.stream[-4:][::-1].hex(),
        "raw_size_bytes": str(len(site.raw)),
    }
    assert site.run() == "stay"
    assert "no partition table" in site.failure()["failure"]


def test_orders_without_their_end_are_not_carried_out(site: Site) -> None:
    del site.orders["end"]
    assert site.run() == "stay"
    assert site.posts == []
    assert site.disk.read_bytes() == b"\xff" * 64 * MIB


@BOTH_TABLES
@pytest.mark.parametrize("mode", ["quick", "full"])
def test_erase(site: Site, mode: str) -> None:
    assert site.run() == "reboot"
    parts = [site.part("1"), site.part("2")]
    site.posts.clear()
    site.orders |= {"order": "erase", "mode": mode}
    assert site.run() == "poweroff"
    assert {post["step"] for post in site.posts} == {"erase"}
    assert site.posts[-1]["is_done"] is True
    content = site.disk.read_bytes()
    assert len(content) == 64 * MIB
    assert content[: 16 * MIB] == bytes(16 * MIB) and content[-16 * MIB :] == bytes(16 * MIB)
    assert all(content[start : start + MIB] == bytes(MIB) for start, _ in parts)
    assert (mode == "full") == (content == bytes(64 * MIB))
    assert (site.tree / "dev/vdb").read_bytes() == b"\xff" * 64 * MIB


def test_an_order_that_is_not_known_is_refused(site: Site) -> None:
    site.orders["order"] = "polish"
    assert site.run() == "stay"
    assert "the order polish is not known" in site.failure()["failure"]
    assert site.disk.read_bytes() == b"\xff" * 64 * MIB


def test_uefi_gets_a_boot_entry_behind_the_others(site: Site) -> None:
    (site.tree / "sys/firmware/efi").mkdir(parents=True)
    fake, log = site.tree / "bin/efibootmgr", site.tree / "efi.log"
    write(
        fake,
        f'#!/bin/sh\n[ $# = 0 ] || echo "$@" >>{log}\n'
        "echo BootOrder: 0003,0001\necho 'Boot0001* UEFI PXEv4'\nprintf 'Boot0007* hostloom\\tHD(15)\\n'\n",
    )
    fake.chmod(0o755)
    assert site.run() == "reboot"
    remove, create, order = log.read_text().splitlines()
    assert remove == "-q -b 0007 -B"
    assert create == rf"-q -c -d {site.disk} -p 15 -L hostloom -l \EFI\BOOT\BOOTX64.EFI"
    assert order == "-q -o 0003,0001,0007"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is a tool of developers")
@pytest.mark.parametrize("name", ["deploy.sh", "disk.sh", "found.sh"])
def test_shellcheck_finds_nothing(name: str) -> None:
    # Variables are shared between the scripts, and `read` of busybox sets several.
    argv = ["shellcheck", "-s", "dash", "-e", "SC2034,SC2154", str(SCRIPTS / name)]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.stdout == ""
