"""What callers are told while the database cannot be used: 503 and the cause, on every face."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hostloom.model.errors.server import DatabaseTrouble, DatabaseUnavailable
from hostloom.model.operation import Operation, OperationState
from hostloom.store import database_errors as trouble_module
from hostloom.store import engine as engine_module
from support.server import Running, running


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(trouble_module, "CHECK_WAIT_S", 0.05)
    monkeypatch.setattr("hostloom.api.monitoring.HEALTH_KEPT_S", 0.0)
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def locked(server: Running, tmp_path: Path) -> Iterator[Running]:
    """The server while another process holds the database's lock."""
    other = sqlite3.connect(tmp_path / "hostloom.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield server
    other.execute("ROLLBACK")
    other.close()


def test_a_write_is_a_503_with_the_cause_and_reads_go_on(locked: Running) -> None:
    with locked.http() as http:
        for answer in (
            http.post("spaces", json={"name": "blue"}),
            http.post("spaces", json={"name": "blue"}, headers={"Idempotency-Key": "number-one"}),
            http.get("http://hostloom/healthz"),
        ):
            problem = answer.json()
            assert answer.status_code == 503, answer.text
            assert problem["code"] == "database-unavailable"
            assert problem["detail"] == "the database cannot be used: another process has locked it"
            assert problem["details"] == {"trouble": "locked"}
            assert problem["hint"]
        assert http.get("spaces").status_code == 200


def test_the_command_line_exits_with_4(locked: Running, capsys: pytest.CaptureFixture[str]) -> None:
    from hostloom.cli.main import main

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setenv("HOSTLOOM_SOCKET", str(locked.socket))
        patch.setattr("sys.argv", ["hostloom", "space", "create", "blue"])
        main()
    assert ended.value.code == 4
    said = capsys.readouterr().err
    assert "another process has locked it" in said
    assert "mistake" not in said


def test_health_comes_back_with_the_database(server: Running, tmp_path: Path) -> None:
    path = tmp_path / "hostloom.db"
    with server.http() as http:
        assert http.get("http://hostloom/healthz").json() == {"status": "ok"}
        path.rename(path.with_suffix(".moved"))
        gone = http.get("http://hostloom/healthz")
        assert (gone.status_code, gone.json()["details"]) == (503, {"trouble": "gone"})
        assert http.get("spaces").status_code == 503
        path.with_suffix(".moved").rename(path)
        assert http.get("http://hostloom/healthz").json() == {"status": "ok"}


def test_a_stream_waits_for_the_database(server: Running, tmp_path: Path) -> None:
    """The operation goes on when the database is back, and so does the stream of its changes."""
    path = tmp_path / "hostloom.db"
    operation = Operation("op-1", "refresh", OperationState.RUNNING, "host kvm1", {})
    with server.ports.store.begin() as uow:
        uow.operations.add(operation)
        uow.commit()
    with server.http() as http, http.stream("GET", "operations/op-1/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: operation"
        path.rename(path.with_suffix(".moved"))
        trouble = next(line for line in lines if line.startswith(": the"))
        assert trouble == ": the database cannot be used: it is gone or does not answer"
        path.with_suffix(".moved").rename(path)
        with server.ports.store.begin() as uow:
            uow.operations.request_cancel("op-1")
            uow.commit()
        assert any('"cancel_requested":true' in line for line in lines if line.startswith("data"))


def test_a_repeated_request_is_not_pending_for_ever(server: Running, tmp_path: Path) -> None:
    """A key that was claimed before the database went away is free when it is back."""
    other = sqlite3.connect(tmp_path / "hostloom.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with server.http() as http:
        headers = {"Idempotency-Key": "number-two"}
        assert http.post("spaces", json={"name": "red"}, headers=headers).status_code == 503
        other.execute("ROLLBACK")
        other.close()
        assert http.post("spaces", json={"name": "red"}, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("trouble", "again"), [(DatabaseTrouble.LOCKED, "no-such-host"), (DatabaseTrouble.GONE, "pending")]
)
def test_a_request_with_effects_can_be_repeated_where_it_changed_nothing(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: DatabaseTrouble, again: str
) -> None:
    other = sqlite3.connect(tmp_path / "hostloom.db", isolation_level=None, check_same_thread=False)

    def fail(*_: object) -> None:
        other.execute("BEGIN IMMEDIATE")  # the key cannot be given back, either
        raise DatabaseUnavailable(trouble)

    headers = {"Idempotency-Key": f"compose-{trouble.name}"}
    body = {"host": "nowhere"}
    with server.http() as http:
        with monkeypatch.context() as patch:
            patch.setattr("hostloom.services.machines.compose", fail)
            assert http.post("machines", json=body, headers=headers).status_code == 503
        other.execute("ROLLBACK")
        other.close()
        code = http.post("machines", json=body, headers=headers).json()["code"]
    assert (code == "idempotency-pending") is (again == "pending")


def test_maas_clients_are_told_as_well(server: Running, tmp_path: Path) -> None:
    path = tmp_path / "hostloom.db"
    path.rename(path.with_suffix(".moved"))
    answer = httpx.get(
        f"{server.url}/MAAS/api/2.0/spaces/",
        headers={
            "Authorization": 'OAuth oauth_version="1.0", oauth_signature_method="PLAINTEXT", '
            'oauth_consumer_key="a", oauth_token="b", oauth_signature="%26c", oauth_nonce="n", '
            'oauth_timestamp="1800000000"'
        },
    )
    assert answer.status_code == 503
    assert "it is gone or does not answer" in answer.text
