"""Boot files and scripts over HTTP, as iPXE and guests ask for them."""

from pathlib import Path

import anyio
import httpx
import pytest

from hostloom.boot.http import Report, create_boot_app
from hostloom.boot.scripts import MachineBoot
from hostloom.model.ids import MacAddress

KNOWN = MacAddress("52:54:00:00:00:01")
BASE = "http://10.0.0.1:5248"


@pytest.fixture
def reports() -> list[Report]:
    return []


@pytest.fixture
def ask(tmp_path: Path, reports: list[Report]) -> "Ask":
    (tmp_path / "kernel").write_bytes(bytes(range(100)))
    app = create_boot_app(
        {"kernel": tmp_path / "kernel", "initrd": tmp_path / "missing"},
        lambda mac: MachineBoot("web", "quiet") if mac == KNOWN else None,
        reports.append,
    )
    return Ask(app)


class Ask:
    """One request at a time."""

    def __init__(self, app: object) -> None:
        self._app = app

    async def __call__(self, method: str, path: str, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, headers=headers)

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def run() -> httpx.Response:
            return await self(method, path, **headers)

        return anyio.run(run)


def test_the_first_script_asks_for_the_machines_own(ask: Ask) -> None:
    answer = ask.get("/boot.ipxe")
    assert answer.text == f"#!ipxe\nchain --replace {BASE}/machine/${{net0/mac:hexhyp}}.ipxe\n"


def test_a_known_machine_boots_kernel_and_initramfs(ask: Ask) -> None:
    text = ask.get("/machine/52-54-00-00-00-01.ipxe").text
    assert text.startswith("#!ipxe\n")
    assert f"kernel {BASE}/files/kernel console=ttyS0 initrd=initrd hl.url={BASE}/report hl.name=web" in text
    assert "quiet" in text
    assert f"initrd --name initrd {BASE}/files/initrd" in text


def test_an_unknown_machine_boots_from_its_disk(ask: Ask) -> None:
    text = ask.get("/machine/52-54-00-00-00-99.ipxe").text
    assert text.splitlines()[-1] == "exit"
    assert ask.get("/machine/nonsense.ipxe").status_code == 400


def test_files_with_head_and_range(ask: Ask) -> None:
    assert ask.get("/files/kernel").content == bytes(range(100))
    head = ask.get("/files/kernel", "HEAD")
    assert (head.headers["content-length"], head.content) == ("100", b"")
    part = ask.get("/files/kernel", range="bytes=10-19")
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))


@pytest.mark.parametrize(
    "path", ["/files/initrd", "/files/other", "/files/..%2fkernel", "/files/", "/nothing"]
)
def test_what_is_not_there_is_not_found(ask: Ask, path: str) -> None:
    assert ask.get(path).status_code == 404


def test_a_report_is_handed_on(ask: Ask, reports: list[Report]) -> None:
    assert ask.get("/report?mac=52:54:00:00:00:01&ip=10.0.0.7&hostname=web&uptime=3.5").status_code == 200
    (report,) = reports
    assert (report.mac, str(report.ip), report.hostname, report.uptime_s) == (KNOWN, "10.0.0.7", "web", 3.5)


@pytest.mark.parametrize(
    "query", ["", "mac=x", "mac=52:54:00:00:00:01&ip=nonsense", "mac=52:54:00:00:00:01&uptime=x"]
)
def test_a_report_that_is_none_is_refused(ask: Ask, reports: list[Report], query: str) -> None:
    assert ask.get(f"/report?{query}").status_code == 400
    assert reports == []
