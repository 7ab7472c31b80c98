"""The report of a machine whose new system runs: what is taken, what is refused, and over HTTP."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from hostloom.boot.deploy_report import parse_deploy_report
from hostloom.boot.http import MAX_DEPLOY_REPORT_BYTES, BootCalls, create_boot_app
from hostloom.boot.images import BootImages
from hostloom.model.deployment import DeployReport, DiskProgress
from hostloom.model.errors.permissions import ReportRefused, TooManyRequests
from hostloom.model.errors.values import InvalidValue
from support.seeds import KEY

KIND, DATA, *_ = KEY.split()
SECRET = "0123456789abcdef0123456789abcdef"
BODY = json.dumps({"host_keys": [f"{KIND} {DATA}", "ssh-dss AAAA", "nonsense"], "errors": []})
TAKEN = DeployReport((f"{KIND} {DATA}",))


def test_only_host_keys_that_can_be_read_are_kept() -> None:
    assert parse_deploy_report(BODY.encode()) == TAKEN
    assert parse_deploy_report(b"{}") == DeployReport(())


def test_errors_are_cut_and_lose_control_characters() -> None:
    report = parse_deploy_report(json.dumps({"errors": ["\x1b[2J" + "x" * 2000]}).encode())
    assert report.errors == (" [2J" + "x" * 996,)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"other": 1}',
        b'{"errors": "text"}',
        b'{"errors": [1]}',
        json.dumps({"errors": ["x"] * 51}).encode(),
        json.dumps({"host_keys": [KEY] * 17}).encode(),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidValue):
        parse_deploy_report(body)


class NoDisks:
    """No machine writes its disk here."""

    def orders(self, _secret: str, _seen_from: str, _base_url: str) -> str:
        raise ReportRefused

    def seed(self, _secret: str, _seen_from: str, _base_url: str) -> bytes:
        raise ReportRefused

    def stream(self, _secret: str, _seen_from: str) -> Path:
        raise ReportRefused

    def take_progress(self, _secret: str, _seen_from: str, _progress: DiskProgress) -> None:
        raise ReportRefused


class Server:
    """A boot server that takes reports with one token."""

    def __init__(self, directory: Path) -> None:
        self.reports: list[tuple[str, DeployReport]] = []
        self.busy = False
        calls = BootCalls(
            boot=lambda _mac, _seen_from: pytest.fail("nothing boots here"),
            up=lambda _report: None,
            take_report=lambda _secret, _hardware: "",
            disk=NoDisks(),
            deployed=lambda secret, report: self.reports.append((secret, report)),
            admit_deployed=self._admit,
        )
        self._app = create_boot_app(BootImages(directory, None, None), {}, calls)

    def _admit(self, secret: str, _seen_from: str) -> None:
        if self.busy:
            raise TooManyRequests("reports of this address", 30)
        if secret != SECRET:
            raise ReportRefused

    def post(self, body: str, secret: str = SECRET, kind: str = "application/json") -> httpx.Response:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": kind}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=("10.0.0.9", 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.2:5248") as client:
                return await client.post("/deployed", headers=headers, content=body)

        return asyncio.run(send())


def test_a_report_with_the_token_is_taken(tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert server.post(BODY).status_code == 200
    assert server.reports == [(SECRET, TAKEN)]


def test_other_reports_are_refused_and_not_taken(tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert server.post(BODY, "x" * 32).status_code == 403
    assert server.post(BODY, "short").status_code == 403
    assert server.post(BODY, kind="text/plain").status_code == 400
    assert server.post("x" * (MAX_DEPLOY_REPORT_BYTES + 1)).status_code == 400
    server.busy = True
    answer = server.post(BODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert server.reports == []
