"""Every code of a decision, over the API and the command line: what, where, what was wanted, what was found.

The worlds are those of tests/acceptance, in a real store behind a real server.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hostloom.cli.main import main
from hostloom.decide.dry_run import simulate
from hostloom.model.plan import Decision
from hostloom.model.reasons import RejectionCode, RequestCode, WarningCode
from hostloom.model.request import ParsedRequest
from hostloom.simulation.world_file import Case
from support.server import NOON, Running, running
from support.world_store import fill_store
from support.worlds import ACCEPTANCE, IMAGE_CODES, load

#: Slips of the text, which the command line takes for wrong usage.
TEXT = {
    RequestCode.CONSTRAINT_SYNTAX,
    RequestCode.UNKNOWN_KEY,
    RequestCode.DUPLICATE_LABEL,
    RequestCode.INVALID_LABEL,
    RequestCode.INVALID_VALUE,
}
#: Nothing has the name that the request gives.
NAMELESS = {
    RequestCode.UNKNOWN_HOST,
    RequestCode.UNKNOWN_SPACE,
    RequestCode.UNKNOWN_FABRIC,
    RequestCode.UNKNOWN_SUBNET,
}
UNREACHABLE = {RequestCode.HOST_UNREACHABLE}
#: Every exit code but 3 (docs/reference/exit-codes.md).
EXIT_CODES = dict.fromkeys(NAMELESS, 1) | dict.fromkeys(TEXT, 2) | dict.fromkeys(UNREACHABLE, 4)
#: World files of our own whose worlds a store takes: in some of the others ranges overlap.
OWN = (
    "stale-facts",
    "foreign-dhcp",
    "wires",
    "placement",
    "placement-of-a-single-host",
    "pools-that-hold-no-disks",
    "among-hosts",
)
#: Codes that concern no text.
NO_COLUMN = {
    RequestCode.UNKNOWN_HOST,
    RequestCode.OTHER_ZONE,
    RequestCode.OTHER_RESOURCE_POOL,
    RequestCode.HOST_TAGS,
    RequestCode.HOST_UNREACHABLE,
    RequestCode.HOST_NOT_KNOWN,
    RequestCode.HOST_AMBIGUOUS,
    RequestCode.UNSUPPORTED_ARCHITECTURE,
    RequestCode.NOT_ENOUGH_CORES,
    RequestCode.NOT_ENOUGH_MEMORY,
    RequestCode.NO_USABLE_NETWORK,
    RequestCode.NO_BOOTABLE_VLAN,
    RequestCode.SUBNET_FULL,
    RequestCode.NO_HOST_FITS,
}
#: Only of several machines at once: tests/integration/api/test_plans.py and its story on the command line.
OF_BATCHES = {RequestCode.ANTI_AFFINITY}
#: Only of disk images, as is the warning `cannot-report`; no world file has one.
OF_IMAGES = IMAGE_CODES
OF_WORLDS = [*RejectionCode, *(code for code in WarningCode if code is not WarningCode.CANNOT_REPORT)]
OF_ONE = [code for code in RequestCode if code not in OF_BATCHES | OF_IMAGES]
#: With its class: a few codes are both a refusal's and a rejection's.
Code = tuple[type, str]


@dataclass(frozen=True)
class Asked:
    """A request of a world file that a stored world answers with the code."""

    path: Path
    case: Case


def codes_of(decision: Decision) -> set[Code]:
    explanation = decision.explanation
    codes: list[StrEnum] = [warning.code for warning in explanation.warnings]
    codes += [explanation.refusal.code] if explanation.refusal is not None else []
    for host in explanation.hosts[:1]:
        codes += [rejection.code for label in host.labels for rejection in label.rejections]
        codes += [rejection.code for rejection in host.pools]
    return {(type(code), str(code)) for code in codes}


@cache
def asked() -> dict[Code, Asked]:
    """For every code the first case that shows it; ids and ages are the store's own, so none is named."""
    found: dict[Code, Asked] = {}
    own_paths = [ACCEPTANCE / "own" / f"{stem}.yaml" for stem in OWN]
    for path in (*sorted(ACCEPTANCE.glob("shared/*.yaml")), *own_paths):
        for case in load(path).cases:
            named = case.request.interfaces
            if case.batch is None and "id" not in named.replace("vid", "").replace("unmanaged", ""):
                for code in codes_of(simulate(load(path).snapshot, case.request)):
                    found.setdefault(code, Asked(path, case))
    return found


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Running]]:
    """A server for each world that is needed."""
    found: dict[Path, Running] = {}
    managers = []
    for path in sorted({each.path for each in asked().values()}):
        manager = running(tmp_path_factory.mktemp(path.stem))
        managers.append(manager)
        found[path] = manager.__enter__()
        fill_store(found[path].ports.store, load(path))
    yield found
    for manager in managers:
        manager.__exit__(None, None, None)


def body_of(request: ParsedRequest) -> dict[str, Any]:
    names = ("host", "interfaces", "storage", "cores", "memory_mib", "architecture", "netboot")
    body = {name: getattr(request, name) for name in (*names, "zone", "resource_pool")}
    return body | {name: list(getattr(request, name)) for name in ("host_tags", "not_host_tags")}


def arguments_of(request: ParsedRequest) -> list[str]:
    options = {
        "--host": request.host,
        "--interfaces": request.interfaces,
        "--storage": request.storage,
        "--cores": str(request.cores),
        "--memory": str(request.memory_mib),
        "--architecture": request.architecture,
        "--zone": request.zone,
        "--resource-pool": request.resource_pool,
    }
    arguments = [part for name, value in options.items() if value for part in (name, value)]
    arguments += [part for tag in request.host_tags for part in ("--host-tag", tag)]
    arguments += [part for tag in request.not_host_tags for part in ("--not-host-tag", tag)]
    return [*arguments, *([] if request.netboot else ["--no-netboot"])]


def run(server: Running, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setenv("HOSTLOOM_SOCKET", str(server.socket))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "argv", ["hostloom", *arguments])
    code: object = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return code, err.getvalue() + out.getvalue()


def test_a_case_is_known_for_every_code() -> None:
    assert {(type(code), str(code)) for code in (*OF_ONE, *OF_WORLDS)} == set(asked())


@pytest.mark.parametrize("code", OF_ONE)
def test_every_refusal_over_the_api(code: RequestCode, servers: dict[Path, Running]) -> None:
    found = asked()[type(code), str(code)]
    server = servers[found.path]
    before = state(server)
    with server.http() as http:
        planned = http.post("/machines/plan", json=body_of(found.case.request))
        composed = http.post("/machines", json=body_of(found.case.request))
    assert planned.status_code == 200, planned.text
    refusal = planned.json()["explanation"]["refusal"]
    assert planned.json()["plan"] is None
    assert refusal["code"] == code
    assert all(refusal[name] for name in ("rule", "subject", "subject_kind", "found")), refusal
    assert refusal["wanted"], refusal
    assert (refusal["column"] >= 1) is (code not in NO_COLUMN) or code in NO_COLUMN, refusal
    problem = composed.json()
    assert composed.status_code == 409, composed.text
    assert composed.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code
    assert problem["explanation"]["refusal"] == refusal
    assert problem["detail"] == f"{headline_of(problem)}{hosts_of(problem)}"
    assert planned.json()["summary"] == problem["detail"]
    assert (hosts_of(problem) != "") is (code is RequestCode.NO_HOST_FITS)
    assert state(server) == before


@pytest.mark.parametrize("code", OF_ONE)
def test_every_refusal_on_the_command_line(
    code: RequestCode, servers: dict[Path, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asked()[type(code), str(code)]
    server = servers[found.path]
    before = state(server)
    expected = EXIT_CODES.get(code, 3)
    with server.http() as http:
        problem = http.post("/machines", json=body_of(found.case.request)).json()
    assert problem["code"] == code
    for verb in (["plan"], ["plan", "--explain"], ["compose"]):
        exit_code, told = run(server, ["machine", *verb, *arguments_of(found.case.request)], monkeypatch)
        assert exit_code == expected, told
        # with --explain the hosts' reasons follow, one a line
        words = headline_of(problem) if "--explain" in verb else problem["detail"]
        lines = told.splitlines()
        assert lines[0] == f"error: {words}", told
        if "--explain" in verb:
            assert lines[1:] == problem["text"][1:], told
    assert state(server) == before


def test_every_reason_against_an_interface_and_every_warning(
    servers: dict[Path, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in OF_WORLDS:
        found = asked()[type(code), str(code)]
        server = servers[found.path]
        if code is WarningCode.STALE_HOST_MODEL:
            read_long_ago(server)
        with server.http() as http:
            answer = http.post("/machines/plan", json=body_of(found.case.request)).json()
        told = answer["explanation"]
        host = told["hosts"][0]
        rejections = [each for label in host["labels"] for each in label["rejections"]] + host["pools"]
        said = told["warnings"] if isinstance(code, WarningCode) else rejections
        reasons = [each for each in said if each["code"] == code]
        assert reasons, code
        assert all(each["subject"] for each in reasons)
        _, text = run(
            server, ["machine", "plan", "--explain", *arguments_of(found.case.request)], monkeypatch
        )
        assert reasons[0]["subject"] in text, code


def read_long_ago(server: Running) -> None:
    """Its hosts were read an hour before the server's noon."""
    with server.ports.store.begin() as uow:
        for host in uow.hosts.list():
            uow.hosts.update(replace(host, facts_at=NOON - 3600))
        uow.commit()


def headline_of(problem: dict[str, Any]) -> str:
    """The refusal itself, in words."""
    first = str(problem["text"][0])
    assert first.startswith("refused: "), first
    return first.removeprefix("refused: ")


def hosts_of(problem: dict[str, Any]) -> str:
    """What follows it in one line where no host fits: three hosts' reasons, and how many more there are."""
    if problem["explanation"]["refusal"]["code"] != RequestCode.NO_HOST_FITS:
        return ""
    reasons = [line.removeprefix("not ") for line in problem["text"] if line.startswith("not ")]
    more = [f"and {len(reasons) - 3} more"] if len(reasons) > 3 else []
    return f": {'; '.join([*reasons[:3], *more])}"


def state(server: Running) -> tuple[object, ...]:
    """What a refusal must leave as it was."""
    with server.ports.store.begin() as uow:
        snapshot = uow.snapshot()
        return snapshot.revision, len(snapshot.hosts), len(uow.operations.list()), len(uow.machines.list())
