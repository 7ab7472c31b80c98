"""What machines are served over HTTP, and what their reports must be."""

import asyncio
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from hostloom.boot.http import MAX_BODY_BYTES, Report, create_boot_app
from hostloom.boot.scripts import MachineBoot
from hostloom.model.ids import MacAddress

WEB = MacAddress("52:54:00:00:00:01")
KERNEL = bytes(range(256)) * 1024
BASE = "http://10.77.10.2:5248"


@dataclass
class BootServer:
    """The app with one machine, and what was reported to it."""

    directory: Path
    reports: list[Report] = field(default_factory=list)

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None
    ) -> httpx.Response:
        (self.directory / "vmlinuz").write_bytes(KERNEL)
        files = {"kernel": self.directory / "vmlinuz", "initrd": self.directory / "gone"}
        app = create_boot_app(files, {WEB: MachineBoot("web1", "quiet")}.get, self.reports.append)

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app, client=("10.77.10.50", 4711))
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, headers=headers, content=body)

        return asyncio.run(send())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, headers)


@pytest.fixture
def server(tmp_path: Path) -> BootServer:
    return BootServer(tmp_path)


def test_the_first_script_sends_everybody_to_their_own(server: BootServer) -> None:
    answer = server.get("/boot.ipxe")
    assert answer.text.startswith("#!ipxe\n")
    assert f"chain --replace {BASE}/machine/${{netX/mac:hexhyp}}.ipxe" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


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
def test_a_machine_that_we_know_boots_what_we_serve(server: BootServer, path: str) -> None:
    text = server.get(path).text
    assert f"kernel {BASE}/files/kernel " in text
    assert f" hl.url={BASE}/report hl.name=web1 BOOTIF={WEB} quiet || goto" in text
    assert f"initrd --name initrd {BASE}/files/initrd" in text


def test_a_machine_that_we_do_not_know_boots_its_disk(server: BootServer) -> None:
    answer = server.get("/machine/52-54-00-00-00-99.ipxe")
    assert answer.status_code == 200
    assert "52:54:00:00:00:99 is no machine that hostloom knows" in answer.text
    assert answer.text.endswith("\nexit\n")
    assert "kernel" not in answer.text


@pytest.mark.parametrize("path", ["/machine/nonsense.ipxe", "/boot.ipxe?mac=", "/machine/..%2f..ipxe"])
def test_what_is_no_mac_is_refused(server: BootServer, path: str) -> None:
    answer = server.get(path)
    assert answer.status_code in (400, 404)
    assert "#!ipxe" not in answer.text


def test_a_file_comes_whole(server: BootServer) -> None:
    answer = server.get("/files/kernel")
    assert answer.content == KERNEL
    assert answer.headers["content-length"] == str(len(KERNEL))
    assert answer.headers["content-type"] == "application/octet-stream"


def test_head_says_how_long_a_file_is(server: BootServer) -> None:
    answer = server.request("HEAD", "/files/kernel")
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
    answer = server.get("/files/kernel", range=wanted)
    assert answer.status_code == 206
    assert answer.content == KERNEL[first:end]
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{len(KERNEL)}"


def test_a_part_beyond_the_end_is_refused(server: BootServer) -> None:
    answer = server.get("/files/kernel", range=f"bytes={len(KERNEL)}-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(KERNEL)}"


@pytest.mark.parametrize(
    "path",
    [
        "/files/initrd",
        "/files/vmlinuz",
        "/files/",
        "/files/..%2fvmlinuz",
        "/files/%2e%2e/%2e%2e/etc/passwd",
        "/files//etc/passwd",
        "/files/kernel/..",
        "/files/kernel%00",
        "/etc/passwd",
    ],
)
def test_there_are_no_other_files(server: BootServer, path: str) -> None:
    assert server.get(path).status_code == 404


REPORT = "mac=52:54:00:00:00:01&ip=10.77.10.50&hostname=web1&uptime=3.25"
WHOLE = Report(WEB, ip_address("10.77.10.50"), "10.77.10.50", "web1", 3.25)


def test_a_report_in_a_query(server: BootServer) -> None:
    assert server.get(f"/report?{REPORT}").text == "ok\n"
    assert server.reports == [WHOLE]


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
        ("ip=10.77.10.50/24", Report(WEB, ip_address("10.77.10.50"), "10.77.10.50", "", 0)),
        ("ip=2001:db8::1", Report(WEB, ip_address("2001:db8::1"), "10.77.10.50", "", 0)),
        ("ip=&hostname=&uptime=", Report(WEB, None, "10.77.10.50", "", 0)),
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
    assert (answer.status_code, answer.text.partition(":")[0]) == (400, field)
    assert server.reports == []


@pytest.mark.parametrize(
    "body", ["x" * (MAX_BODY_BYTES + 1), "mac", "mac=\xff", "&".join(f"f{n}=1" for n in range(99))]
)
def test_a_form_that_is_none_is_refused(server: BootServer, body: str) -> None:
    answer = server.request("POST", "/report", body=body)
    assert (answer.status_code, answer.text.partition(":")[0]) == (400, "body")
    assert server.reports == []


@pytest.mark.parametrize("path", ["/boot.ipxe", "/files/kernel", "/machine/525400000001.ipxe"])
def test_nothing_can_be_sent_to_what_is_read(server: BootServer, path: str) -> None:
    assert server.request("POST", path, body="x").status_code == 405


def test_what_the_machine_asked_is_what_it_is_told() -> None:
    """A rack has an address on every VLAN, and each machine reaches one of them."""
    app = create_boot_app({}, {WEB: MachineBoot("web1")}.get, [].append)
    for base in ("http://10.77.20.2:5248", "http://[2001:db8::2]:5248"):
        assert f"hl.url={base}/report" in _text(app, base)


def _text(app: Starlette, base: str) -> str:
    async def send() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
            return (await client.get("/machine/52-54-00-00-00-01.ipxe")).text

    return asyncio.run(send())
