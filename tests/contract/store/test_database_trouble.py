"""A database that is locked, full, read-only, damaged or gone is named as the cause, and nothing is lost."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text

from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.model.grouping import Tag
from hostloom.model.ids import TagId
from hostloom.store import database_errors as trouble_module
from hostloom.store import engine as engine_module
from hostloom.store.database_errors import trouble_of
from hostloom.store.engine import DatabaseStore, open_store
from support.postgres import PostgresServer, running_postgres


def write(store: DatabaseStore, name: str = "blue") -> None:
    with store.begin() as uow:
        uow.tags.add(Tag(TagId(0), name))
        uow.commit()


def tags(store: DatabaseStore) -> list[str]:
    with store.begin() as uow:
        return [tag.name for tag in uow.tags.list()]


def expect(trouble: str, *calls: Callable[[], object]) -> None:
    for call in calls:
        with pytest.raises(DatabaseUnavailable) as refused:
            call()
        assert refused.value.trouble == trouble
        assert refused.value.hint


# -- SQLite ----------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hostloom.db"


@pytest.fixture
def sqlite(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseStore]:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(trouble_module, "CHECK_WAIT_S", 0.05)
    store = open_store(f"sqlite:///{path}")
    yield store
    store.close()


def test_a_locked_file(sqlite: DatabaseStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    expect("locked", lambda: write(sqlite), sqlite.check)
    assert tags(sqlite) == []
    other.execute("ROLLBACK")
    other.close()
    sqlite.check()
    write(sqlite)
    assert tags(sqlite) == ["blue"]


def test_a_full_disk(sqlite: DatabaseStore) -> None:
    """SQLite answers the same to a page limit as to a disk without room."""
    sqlite.engine.dispose()
    event.listen(
        sqlite.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1")
    )

    def fill() -> None:
        for number in range(2000):
            write(sqlite, f"tag-{number}" + "x" * 200)

    expect("full", fill)
    stored = tags(sqlite)
    expect("full", lambda: write(sqlite, "y" * 200))
    assert tags(sqlite) == stored


def test_a_folder_without_room(sqlite: DatabaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small write may still fit into an old journal, so the health check also tests the folder."""
    sqlite.check()
    monkeypatch.setattr(trouble_module, "MIN_FREE_BYTES", 2**80)
    expect("full", sqlite.check)


def test_a_read_only_file(sqlite: DatabaseStore) -> None:
    sqlite.engine.dispose()
    event.listen(sqlite.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = 1"))
    expect("read-only", lambda: write(sqlite), sqlite.check)
    assert tags(sqlite) == []


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_gone(sqlite: DatabaseStore, path: Path, replaced: bool) -> None:
    write(sqlite)
    kept = path.with_name("moved.db")
    path.rename(kept)
    if replaced:
        path.write_bytes(b"")
    expect("gone", lambda: write(sqlite, "lost"), lambda: tags(sqlite), sqlite.check)
    kept.rename(path)
    assert tags(sqlite) == ["blue"]
    sqlite.check()


def test_a_damaged_file(sqlite: DatabaseStore, path: Path) -> None:
    sqlite.engine.dispose()
    with path.open("r+b") as file:
        file.write(b"not a database any more" * 200)
    expect("damaged", lambda: write(sqlite), lambda: tags(sqlite), sqlite.check)


def test_no_connection_is_free(sqlite: DatabaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite.engine.pool, "_timeout", 0.05)
    held = [sqlite.engine.connect() for _ in range(32)]
    expect("busy", lambda: tags(sqlite), sqlite.check)
    for connection in held:
        connection.close()
    sqlite.check()


def test_a_statement_that_is_wrong_is_not_the_databases_trouble(sqlite: DatabaseStore) -> None:
    with sqlite.engine.connect() as connection, pytest.raises(Exception, match="no such table") as refused:
        connection.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(refused.value, DatabaseUnavailable)


# -- PostgreSQL ------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_server_that_stops_and_comes_back() -> None:
    with running_postgres(own=True) as server, server.database() as url:
        store = open_store(url)
        write(store)
        server.stop()
        expect("gone", lambda: tags(store), lambda: write(store, "lost"), store.check)
        server.start()
        assert tags(store) == ["blue"]
        store.check()
        store.close()


@pytest.mark.postgres
def test_a_server_that_is_read_only(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        store = open_store(url)
        with store.engine.connect() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
            connection.commit()
        store.engine.dispose()
        expect("read-only", lambda: write(store), store.check)
        assert tags(store) == []
        store.close()


@pytest.mark.postgres
def test_a_world_that_another_session_locks(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble_module, "CHECK_WAIT_S", 0.05)
    with postgres.database() as url:
        store = open_store(url)
        with store.engine.connect() as connection:
            connection.execute(text("SELECT * FROM world FOR UPDATE"))
            expect("locked", store.check)
        store.check()
        store.close()


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (psycopg.errors.DiskFull(), "FULL"),
        (psycopg.errors.TooManyConnections(), "BUSY"),
        (psycopg.errors.AdminShutdown(), "GONE"),
        (psycopg.errors.CannotConnectNow(), "GONE"),
        (psycopg.errors.LockNotAvailable(), "LOCKED"),
        (psycopg.errors.DeadlockDetected(), "LOCKED"),
        (psycopg.errors.ReadOnlySqlTransaction(), "READ_ONLY"),
        (psycopg.errors.IoError(), "FAILING"),
        (psycopg.OperationalError("the connection is closed"), "GONE"),
        (psycopg.errors.UniqueViolation(), None),
        (psycopg.errors.UndefinedTable(), None),
    ],
)
def test_errors_of_postgresql(error: psycopg.Error, trouble: str | None) -> None:
    found = trouble_of(error)
    assert (found and found.name) == trouble
