"""Open the database: SQLite in a file, or PostgreSQL; migrated, and ready for many threads."""

import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, delete, event, make_url, text, update
from sqlalchemy.exc import ArgumentError, OperationalError

from hostloom.model.errors import ConfigError
from hostloom.ports import UnitOfWork
from hostloom.store.signals import OperationSignal
from hostloom.store.snapshot import SnapshotCache
from hostloom.store.tables import removals, world
from hostloom.store.unit_of_work import DatabaseUnitOfWork

EXPECTED_URL = "sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE"
#: How long a SQLite writer waits for another one.
BUSY_TIMEOUT_MS = 15_000
#: Snapshots that are older than this many revisions are read anew; removals before that are forgotten.
KEPT_REVISIONS = 10_000
#: Any number that no other program uses in our database: the advisory lock of migrations.
MIGRATION_LOCK = 0x686F7374


class DatabaseStore:
    """An open database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._cache = SnapshotCache()
        self._signal = OperationSignal(engine)

    def begin(self) -> UnitOfWork:
        """A unit of work; use it in a `with`."""
        return DatabaseUnitOfWork(self.engine, self._cache, self._signal.set)

    def wait_for_operation(self, timeout_s: float) -> None:
        """Return when an operation may have become claimable, or after `timeout_s`."""
        self._signal.wait(timeout_s)

    def close(self) -> None:
        """Close every connection."""
        self._signal.close()
        self.engine.dispose()


def open_store(url: str) -> DatabaseStore:
    """Open and migrate; ConfigError for a URL that is neither form, or a database that does not open."""
    engine = _create_engine(url)
    try:
        with engine.connect() as connection:
            migrate(connection)
    except OperationalError as error:
        engine.dispose()
        shown = engine.url.render_as_string(hide_password=True)
        raise ConfigError("database_url", shown, f"a database that can be opened: {error.orig}") from error
    return DatabaseStore(engine)


def migrate(connection: Connection) -> None:
    """Bring the schema up to date; processes that start together take turns."""
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _forget_old_removals(connection)
    connection.commit()


def _forget_old_removals(connection: Connection) -> None:
    floor = connection.execute(
        update(world).values(floor=world.c.value - KEPT_REVISIONS).returning(world.c.floor)
    ).scalar_one()
    connection.execute(delete(removals).where(removals.c.revision <= floor))


def _create_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("database_url", url, EXPECTED_URL) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg" and parsed.database:
        return create_engine(
            parsed, isolation_level="READ COMMITTED", pool_size=16, max_overflow=16, pool_pre_ping=True
        )
    if parsed.drivername in ("sqlite", "sqlite+pysqlite") and parsed.database not in (None, "", ":memory:"):
        engine = create_engine(
            parsed, pool_size=16, max_overflow=16, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    raise ConfigError("database_url", url, EXPECTED_URL)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """We say ourselves when a transaction begins (store/transaction.py)."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "foreign_keys = ON",
        "synchronous = NORMAL",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
