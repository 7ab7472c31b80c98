"""What machines are served over HTTP, and what their reports must be."""

import asyncio
import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from hostloom.boot import http
from hostloom.boot.http import MAX_FORM_BYTES, MAX_HARDWARE_BYTES, BootCalls, Report, create_boot_app
from hostloom.boot.images import BootImages
from hostloom.boot.scripts import MachineBoot
from hostloom.model.commissioning import BootAction, FoundHardware, FoundNic
from hostloom.model.deployment import DeployStep, DiskProgress
from hostloom.model.errors.permissions import ReportRefused
from hostloom.model.errors.server import DatabaseTrouble, DatabaseUnavailable
from hostloom.model.ids import MacAddress

WEB = MacAddress("52:54:00:00:00:01")
KERNEL = bytes(range(256)) * 1024
BASE = "http://10.77.10.2:5248"
SECRET = "b" * 32
COMMISSION = MachineBoot("web1", BootAction.COMMISSION, "commissioning", "given", SECRET, "quiet")
LOCAL = MachineBoot("m-525400000099", BootAction.LOCAL, "its own disk, because it is unknown")


@dataclass
class BootServer:
    """The app with one machine, and what was reported to it."""

    directory: Path
    reports: list[Report] = field(default_factory=list)
    found: list[tuple[str, FoundHardware]] = field(default_factory=list)
    asked: list[MacAddress] = field(default_factory=list)
    progress: list[DiskProgress] = field(default_factory=list)
    networks: list[str] = field(default_factory=lambda: ["10.77.10.50", "127.0.0.1"])

    def app(self) -> Starlette:
        if not (self.directory / "vmlinuz").exists():
            (self.directory / "vmlinuz").write_bytes(KERNEL)
        (self.directory / "snponly.efi").write_bytes(b"efi")
        images = BootImages(self.directory / "images", self.directory / "vmlinuz", self.directory / "gone")
        loaders = {"snponly.efi": self.directory / "snponly.efi", "ipxe.efi": self.directory / "gone"}
        calls = BootCalls(
            self.boot, self.reports.append, self.take, self, self.admit, self.networks.__contains__
        )
        return create_boot_app(images, loaders, calls)

    def boot(self, mac: MacAddress, _seen_from: str) -> MachineBoot:
        self.asked.append(mac)
        return COMMISSION if mac == WEB else LOCAL

    def admit(self, secret: str, _seen_from: str) -> None:
        if secret != SECRET:
            raise ReportRefused

    def orders(self, secret: str, _seen_from: str, base_url: str) -> str:
        self.admit(secret, "")
        return f"url={base_url}\nend=orders\n"

    def seed(self, secret: str, _seen_from: str, base_url: str) -> bytes:
        self.admit(secret, "")
        return base_url.encode()

    def stream(self, secret: str, _seen_from: str) -> Path:
        self.admit(secret, "")
        return self.directory / "vmlinuz"

    def take_progress(self, secret: str, _seen_from: str, progress: DiskProgress) -> None:
        self.admit(secret, "")
        self.progress.append(progress)

    def take(self, secret: str, found: FoundHardware) -> str:
        if secret != SECRET:
            raise ReportRefused
        self.found.append((secret, found))
        return "stay"

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None
    ) -> httpx.Response:
        app = self.app()
        if path.startswith("/report") and headers is None:
            headers = {"Authorization": f"Bearer {SECRET}"}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app, client=("::ffff:10.77.10.50", 4711))
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, headers=headers, content=body)

        return asyncio.run(send())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, headers or None)


@pytest.fixture
def server(tmp_path: Path) -> BootServer:
    return BootServer(tmp_path)


def test_the_first_script_sends_everybody_to_their_own(server: BootServer) -> None:
    answer = server.get("/boot.ipxe")
    assert answer.text.startswith("#!ipxe\n")
    assert f"chain --replace {BASE}/machine/${{netX/mac:hexhyp}}.ipxe" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    assert server.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/boot.ipxe?mac=52:54:00:00:00:01",
        "/boot.ipxe?mac=52-54-00-00-00-01",
        "/machine/52-54-00-00-00-01.ipxe",
        "/machine/52:54:00:00:00:01.ipxe",
        "/machine/525400000001.ipxe",
    ],
)
def test_a_machine_boots_what_was_decided_for_it(server: BootServer, path: str) -> None:
    answer = server.get(path)
    assert (
        f"kernel {BASE}/images/given/kernel console=ttyS0 initrd=initrd hl.action=commission" in answer.text
    )
    words = f" hl.url={BASE} hl.token={SECRET} hl.name=web1 BOOTIF={WEB} quiet || goto failed\n"
    assert words in answer.text
    assert f"initrd --name initrd {BASE}/images/given/initrd || goto failed\n" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert server.asked == [WEB]


def test_a_machine_that_is_to_boot_its_disk_loads_nothing(server: BootServer) -> None:
    answer = server.get("/machine/52-54-00-00-00-99.ipxe")
    assert answer.status_code == 200
    assert "echo hostloom: m-525400000099 (52:54:00:00:00:99) boots its own disk" in answer.text
    assert "kernel" not in answer.text


def test_who_only_looks_takes_nothing_that_is_given_once(server: BootServer) -> None:
    assert server.request("HEAD", "/machine/52-54-00-00-00-01.ipxe").status_code == 200
    assert server.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/machine/nonsense.ipxe",
        "/boot.ipxe?mac=",
        "/machine/..%2f..ipxe",
        "/machine/ff-ff-ff-ff-ff-ff.ipxe",
        "/machine/00-00-00-00-00-00.ipxe",
    ],
)
def test_what_is_no_nics_mac_is_refused(server: BootServer, path: str) -> None:
    answer = server.get(path)
    assert answer.status_code in (400, 404)
    assert "#!ipxe" not in answer.text
    assert server.asked == []


def test_a_file_comes_whole(server: BootServer) -> None:
    answer = server.get("/images/given/kernel")
    assert answer.content == KERNEL
    assert answer.headers["content-length"] == str(len(KERNEL))
    assert answer.headers["content-type"] == "application/octet-stream"


def test_head_says_how_long_a_file_is(server: BootServer) -> None:
    answer = server.request("HEAD", "/images/given/kernel")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(KERNEL))
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "first", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=1000-1000", 1000, 1001),
        (f"bytes={len(KERNEL) - 5}-", len(KERNEL) - 5, len(KERNEL)),
        ("bytes=-7", len(KERNEL) - 7, len(KERNEL)),
        (f"bytes=10-{10 * len(KERNEL)}", 10, len(KERNEL)),
    ],
)
def test_a_part_of_a_file(server: BootServer, wanted: str, first: int, end: int) -> None:
    answer = server.get("/images/given/kernel", range=wanted)
    assert answer.status_code == 206
    assert answer.content == KERNEL[first:end]
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{len(KERNEL)}"


def test_a_part_beyond_the_end_is_refused(server: BootServer) -> None:
    answer = server.get("/images/given/kernel", range=f"bytes={len(KERNEL)}-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(KERNEL)}"


@pytest.mark.parametrize(
    "path",
    [
        "/images/given/initrd",
        "/images/given/vmlinuz",
        "/images/given/",
        "/images/given/..%2fvmlinuz",
        "/images/%2e%2e/kernel",
        "/images/..%2f..%2fetc/passwd",
        "/images/given/%2e%2e/%2e%2e/etc/passwd",
        "/images//etc/passwd",
        "/images/other/kernel",
        "/boot/ipxe.efi",
        "/boot/..%2fsnponly.efi",
        "/boot/vmlinuz",
        "/images/given/kernel/..",
        "/images/given/kernel%00",
        "/etc/passwd",
    ],
)
def test_there_are_no_other_files(server: BootServer, path: str) -> None:
    assert server.get(path).status_code == 404


REPORT = "mac=52:54:00:00:00:01&ip=10.77.10.50&hostname=web1&uptime=3.25"
WHOLE = Report(WEB, ip_address("10.77.10.50"), "10.77.10.50", "web1", 3.25, SECRET)


def test_a_report_in_a_query(server: BootServer) -> None:
    assert server.get(f"/report?{REPORT}").text == "ok\n"
    assert server.reports == [WHOLE]


def test_what_a_machine_without_leave_sends_is_not_read(
    server: BootServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: bytes) -> FoundHardware:
        raise AssertionError("it was read")

    monkeypatch.setattr(http, "parse_hardware", read)
    headers = {"Authorization": f"Bearer {'x' * 32}", "Content-Type": "application/json"}
    assert server.request("POST", "/commissioning", headers, body="{}").status_code == 403


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer short", "Basic " + "b" * 32, "Bearer " + "b" * 200])
def test_a_report_needs_the_token_of_the_script(server: BootServer, header: str) -> None:
    assert server.get(f"/report?{REPORT}", authorization=header).status_code == 403
    assert server.reports == []


def test_machines_of_other_networks_get_nothing(server: BootServer) -> None:
    server.networks = ["10.77.20.50"]
    for path in (
        "/boot.ipxe",
        "/images/given/kernel",
        "/boot/snponly.efi",
        "/machine/525400000001.ipxe",
    ):
        answer = server.get(path)
        assert (answer.status_code, "boot_networks" in answer.text) == (403, True)
    assert server.request("POST", "/report", body=REPORT).status_code == 403
    assert (server.asked, server.reports) == ([], [])
    server.networks.append("10.77.10.50")
    assert server.get("/boot.ipxe").status_code == 200


@pytest.mark.parametrize("place", ["networks", "machine"])
def test_a_database_that_cannot_be_used_is_a_503_with_the_cause(server: BootServer, place: str) -> None:
    def fail(*_: object) -> None:
        raise DatabaseUnavailable(DatabaseTrouble.FULL)

    calls = BootCalls(
        fail if place == "machine" else server.boot,  # type: ignore[arg-type]  # never returns
        server.reports.append,
        server.take,
        server,
        server.admit,
        fail if place == "networks" else server.networks.__contains__,  # type: ignore[arg-type]  # never returns
    )
    server.app = lambda: create_boot_app(BootImages(server.directory, None, None), {}, calls)  # type: ignore[method-assign, arg-type]  # another app
    answer = server.get("/machine/525400000001.ipxe")
    assert (answer.status_code, answer.text) == (503, "the database cannot be used: its disk is full\n")
    assert answer.headers["retry-after"] == "5"


def test_a_report_in_a_form(server: BootServer) -> None:
    assert server.request("POST", "/report", body=REPORT).text == "ok\n"
    assert server.reports == [WHOLE]


def test_a_report_in_both(server: BootServer) -> None:
    query, _, form = REPORT.partition("&")
    assert server.request("POST", f"/report?{query}", body=form).status_code == 200
    assert server.reports == [WHOLE]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("ip=10.77.10.50/24", Report(WEB, ip_address("10.77.10.50"), "10.77.10.50", "", 0, SECRET)),
        ("ip=2001:db8::1", Report(WEB, ip_address("2001:db8::1"), "10.77.10.50", "", 0, SECRET)),
        ("ip=&hostname=&uptime=", Report(WEB, None, "10.77.10.50", "", 0, SECRET)),
    ],
)
def test_a_report_may_say_less(server: BootServer, query: str, wanted: Report) -> None:
    server.get(f"/report?mac={WEB}&{query}")
    assert server.reports == [wanted]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "mac"),
        ("mac=web1", "mac"),
        (f"mac={WEB}&ip=10.77.10.500", "ip"),
        (f"mac={WEB}&uptime=soon", "uptime"),
        (f"mac={WEB}&uptime=nan", "uptime"),
        (f"mac={WEB}&uptime=inf", "uptime"),
        (f"mac={WEB}&uptime=-1", "uptime"),
        (f"mac={WEB}&hostname=a%0Ab", "hostname"),
        (f"mac={WEB}&hostname={'x' * 256}", "hostname"),
        (f"mac={WEB}&mac={WEB}", "report"),
        (f"mac={WEB}&colour=red", "field"),
    ],
)
def test_a_report_that_cannot_be_is_refused(server: BootServer, query: str, field: str) -> None:
    answer = server.get(f"/report?{query}")
    assert (answer.status_code, answer.text.partition(" ")[0]) == (400, field)
    assert server.reports == []


@pytest.mark.parametrize(
    "body", ["x" * (MAX_FORM_BYTES + 1), "mac", "mac=\xff", "&".join(f"f{n}=1" for n in range(99))]
)
def test_a_form_that_is_none_is_refused(server: BootServer, body: str) -> None:
    answer = server.request("POST", "/report", body=body)
    assert (answer.status_code, answer.text.partition(" ")[0]) == (400, "body")
    assert server.reports == []


@pytest.mark.parametrize("path", ["/boot.ipxe", "/images/given/kernel", "/machine/525400000001.ipxe"])
def test_nothing_can_be_sent_to_what_is_read(server: BootServer, path: str) -> None:
    assert server.request("POST", path, body="x").status_code == 405


def test_what_the_machine_asked_is_what_it_is_told(server: BootServer) -> None:
    """A rack has an address on every VLAN, and each machine reaches one of them."""
    for asked, told in (
        ("http://10.77.20.2:5248", "http://10.77.20.2:5248"),
        ("http://[2001:db8::2]:5248", "http://[2001:db8::2]:5248"),
        ("http://[::ffff:10.77.20.2]:5248", "http://10.77.20.2:5248"),
    ):
        assert f"hl.url={told} " in _text(server.app(), asked)


def _text(app: Starlette, base: str) -> str:
    async def send() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
            return (await client.get("/machine/52-54-00-00-00-01.ipxe", headers={"Host": "elsewhere"})).text

    return asyncio.run(send())


def test_a_file_is_known_again(server: BootServer) -> None:
    first = server.get("/images/given/kernel")
    part = server.get("/images/given/kernel", range="bytes=0-9", **{"if-range": first.headers["etag"]})
    assert (part.status_code, part.headers["etag"]) == (206, first.headers["etag"])
    assert server.get("/images/given/kernel", range="bytes=0-9", **{"if-range": '"old"'}).status_code == 200


def test_loaders_come_by_name(server: BootServer) -> None:
    assert server.get("/boot/snponly.efi").content == b"efi"
    assert server.request("HEAD", "/boot/snponly.efi").headers["content-length"] == "3"


# -- what was found ----------------------------------------------------------------------------------------

NIC = {"name": "eth0", "mac": str(WEB), "carrier": True}
HARDWARE = {"cores": 2, "memory_mib": 1900, "architecture": "x86_64", "firmware": "bios", "nics": [NIC]}
JSON = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}


def send_found(server: BootServer, body: str | None = None, **headers: str) -> httpx.Response:
    text = json.dumps(HARDWARE) if body is None else body
    return server.request("POST", "/commissioning", JSON | headers, text)


def test_what_was_found_is_taken_and_answered(server: BootServer) -> None:
    answer = send_found(server)
    assert (answer.status_code, answer.json()) == (200, {"next": "stay"})
    wanted = FoundHardware(2, 1900, "amd64", "bios", nics=(FoundNic("eth0", WEB, carrier=True),))
    assert server.found == [(SECRET, wanted)]


@pytest.mark.parametrize(
    "leave", ["", "Bearer", f"Basic {SECRET}", "Bearer a b", "Bearer short", f"Bearer {'c' * 32}"]
)
def test_without_leave_nothing_is_taken(server: BootServer, leave: str) -> None:
    answer = send_found(server, Authorization=leave)
    assert answer.status_code == 403
    assert "this report is refused" in answer.text
    assert "c" * 32 not in answer.text
    assert server.found == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("{", {}),
        ("[]", {}),
        ("x" * (MAX_HARDWARE_BYTES + 1), {}),
        (json.dumps(HARDWARE), {"Content-Type": "text/plain"}),
        (json.dumps(HARDWARE | {"colour": "red"}), {}),
    ],
)
def test_a_report_that_is_none_is_refused(server: BootServer, body: str, headers: dict[str, str]) -> None:
    assert send_found(server, body, **headers).status_code == 400
    assert server.found == []


AUTHORIZED = {"Authorization": f"Bearer {SECRET}"}
PROGRESS: dict[str, object] = {"step": "write", "done_bytes": 5, "total_bytes": 9}


def post_progress(server: BootServer, document: dict[str, object]) -> httpx.Response:
    headers = AUTHORIZED | {"Content-Type": "application/json"}
    return server.request("POST", "/deploying", headers, json.dumps(document))


def test_a_machine_that_writes_its_disk_gets_orders_seed_and_stream(server: BootServer) -> None:
    answer = server.request("GET", "/deployment", headers=AUTHORIZED)
    assert answer.headers["cache-control"] == "no-store"
    url = answer.text.partition("url=")[2].splitlines()[0]
    assert server.request("GET", "/deployment/seed", headers=AUTHORIZED).text == url
    # Also from the first byte on: only a part says that the server can resume.
    for start in (0, 3):
        headers = AUTHORIZED | {"Range": f"bytes={start}-"}
        part = server.request("GET", "/deployment/stream", headers=headers)
        assert (part.status_code, part.content) == (206, KERNEL[start:])


@pytest.mark.parametrize("path", ["/deployment", "/deployment/seed", "/deployment/stream"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {'x' * 32}"}])
def test_nothing_of_a_disk_without_the_token(server: BootServer, path: str, headers: dict[str, str]) -> None:
    assert server.request("GET", path, headers=headers).status_code == 403


def test_progress_is_taken(server: BootServer) -> None:
    document = PROGRESS | {"failure": "no", "output": ["a"]}
    assert post_progress(server, document).status_code == 200
    assert server.progress == [DiskProgress(DeployStep.WRITE, 5, 9, failure="no", output=("a",))]


@pytest.mark.parametrize(
    "change",
    [
        {"step": "polish"},
        {"step": []},
        {"done_bytes": -1},
        {"done_bytes": True},
        {"done_bytes": 2**61},
        {"total_bytes": "9"},
        {"is_done": 1},
        {"failure": "x" * 256},
        {"failure": "\u001b"},
        {"output": ["a"] * 101},
        {"output": [1]},
        {"output": "a"},
        {"more": 1},
    ],
    ids=str,
)
def test_progress_that_cannot_be_is_refused(server: BootServer, change: dict[str, object]) -> None:
    answer = post_progress(server, PROGRESS | change)
    assert (answer.status_code, server.progress) == (400, [])
