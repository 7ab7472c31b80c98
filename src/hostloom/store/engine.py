"""Opens and migrates the database (SQLite or PostgreSQL), and wakes threads that wait for operations."""

import fcntl
import logging
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, delete, event, make_url, text, update
from sqlalchemy.exc import ArgumentError, DBAPIError

from hostloom.model.errors.server import ConfigError, DatabaseUnavailable
from hostloom.ports.store import UnitOfWork
from hostloom.store.database_errors import SqliteFile, check_writing, name_troubles
from hostloom.store.operations import CHANNEL
from hostloom.store.snapshot import SnapshotCache
from hostloom.store.tables import removals, world
from hostloom.store.unit_of_work import DatabaseUnitOfWork

log = logging.getLogger(__name__)

URL_FORMS = "sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE"
MIGRATIONS = Path(__file__).parent / "migrations"
#: Time limit of a SQLite writer for the write lock.
BUSY_TIMEOUT_MS = 15_000
#: Time limit of a request for a free connection.
POOL_TIMEOUT_S = 15.0
#: Detect a PostgreSQL server that disappears within about 15 s, unless the URL sets other values.
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
#: Number of revisions for which removals are stored; older snapshots are read again completely.
KEPT_REVISIONS = 10_000
#: The advisory lock of migrations: a number that no other program uses in our database.
MIGRATION_LOCK = 0x686F7374
#: A password may contain @, so it ends at the last @.
_USERINFO = re.compile(r"(//[^/:@]*:).*@", re.DOTALL)
_SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:pass|secret|key)[^=&]*=)[^&]*", re.IGNORECASE)
#: Interval of the checks for writes in SQLite, and for the end of PostgreSQL's listener.
LOOK_EVERY_S = 0.25
#: Pause after a connection is lost.
RECONNECT_S = 2.0


class DatabaseStore:
    """An open database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._cache = SnapshotCache()
        self._signal = OperationSignal(engine)
        self._file = SqliteFile(Path(engine.url.database or "")) if self.is_private else None

    @property
    def is_private(self) -> bool:
        """Whether no other server can use the database, as with SQLite."""
        return self.engine.dialect.name == "sqlite"

    def begin(self) -> UnitOfWork:
        """A unit of work, for use in a `with` statement."""
        if self._file is not None:
            self._file.check()
        return DatabaseUnitOfWork(self.engine, self._cache, self._signal.set)

    def wait_for_operation(self, timeout_s: float) -> None:
        """Return when an operation can perhaps be claimed, or after `timeout_s`."""
        self._signal.wait(timeout_s)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the database for this server; ConfigError if another server holds a private database."""
        if not self.is_private:
            yield
            return
        path = Path(f"{self.engine.url.database}-server")
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                display_url = self.engine.url.render_as_string(hide_password=True)
                raise ConfigError(
                    "database_url",
                    display_url,
                    "is in use by another server",
                    "several servers can share PostgreSQL only",
                ) from None
            yield

    def check(self) -> None:
        """Check that the database can be read and written; DatabaseUnavailable."""
        if self._file is not None:
            self._file.check()
            self._file.check_room()
        check_writing(self.engine)

    def close(self) -> None:
        """Close every connection."""
        self._signal.close()
        self.engine.dispose()


def open_store(url: str) -> DatabaseStore:
    """Open and migrate the database. ConfigError if the URL is invalid or the database does not open."""
    engine = _create_engine(url)
    try:
        with engine.connect() as connection:
            migrate(connection)
    except DBAPIError as error:
        engine.dispose()
        display_url = engine.url.render_as_string(hide_password=True)
        cause = " ".join(str(error.orig).split())
        if engine.url.password:
            cause = cause.replace(str(engine.url.password), "***")
        raise ConfigError("database_url", display_url, f"cannot be opened: {cause}") from error
    name_troubles(engine)
    return DatabaseStore(engine)


def migrate(connection: Connection) -> None:
    """Migrate the schema; processes that start at the same time wait for each other."""
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    if MigrationContext.configure(connection).get_current_heads() != _newest_schema():
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    _forget_old_removals(connection)
    connection.commit()


@cache
def _newest_schema() -> tuple[str, ...]:
    return tuple(ScriptDirectory(str(MIGRATIONS)).get_heads())


def _forget_old_removals(connection: Connection) -> None:
    floor = connection.execute(
        update(world).values(floor=world.c.value - KEPT_REVISIONS).returning(world.c.floor)
    ).scalar_one()
    connection.execute(delete(removals).where(removals.c.revision <= floor))


def masked(url: str) -> str:
    """A URL without its password, even if the URL is invalid."""
    bare = _USERINFO.sub(r"\1***@", url)
    return _SECRET_PARAMETER.sub(r"\1***", bare)


def _create_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(
            "database_url", masked(url), "is not a database that hostloom can use", f"write {URL_FORMS}"
        ) from error
    if "@" in (parsed.host or ""):
        raise ConfigError("database_url", masked(url), "has a password with an @", "write %40 for it")
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg" and parsed.database:
        return create_engine(
            parsed,
            isolation_level="READ COMMITTED",
            pool_size=16,
            max_overflow=16,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            connect_args={key: value for key, value in _PATIENCE.items() if key not in parsed.query},
        )
    if parsed.drivername in ("sqlite", "sqlite+pysqlite") and parsed.database not in (None, "", ":memory:"):
        engine = create_engine(
            parsed,
            pool_size=16,
            max_overflow=16,
            pool_timeout=POOL_TIMEOUT_S,
            connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    raise ConfigError(
        "database_url", masked(url), "is not a database that hostloom can use", f"write {URL_FORMS}"
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Disable automatic transactions, because store/transaction.py begins them explicitly."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "foreign_keys = ON",
        "synchronous = NORMAL",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


class OperationSignal:
    """Counts signals, so that a waiter does not sleep through a signal that it has not handled."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._condition = threading.Condition()
        self._count = 0
        self._seen = threading.local()
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def set(self) -> None:
        """Wake all waiting threads, and those that wait next for the first time."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Return after a signal that this thread has not handled yet, or at the timeout."""
        seen_count = getattr(self._seen, "count", 0)
        deadline = time.monotonic() + timeout_s
        with self._condition:
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="store-signal", daemon=True)
                self._watcher.start()
            while self._count == seen_count and not self._closed.is_set():
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0:
                    break
                self._condition.wait(remaining_s)
            self._seen.count = self._count

    def close(self) -> None:
        """Wake all waiters and end the thread."""
        self._closed.set()
        self.set()
        if self._watcher is not None:
            self._watcher.join()

    def _watch(self) -> None:
        look = self._listen if self._engine.dialect.name == "postgresql" else self._poll
        while not self._closed.is_set():
            try:
                look()
            except DatabaseUnavailable:
                log.debug("waiting for the database")  # logged where it was detected
            except DBAPIError as error:
                log.warning("waiting for operations: %s", error)
            except Exception:
                log.exception("waiting for operations")
            self._closed.wait(RECONNECT_S)

    def _listen(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"LISTEN {CHANNEL}"))
            driver = connection.connection.driver_connection
            if driver is None:
                return
            while not self._closed.is_set():
                for _ in driver.notifies(timeout=LOOK_EVERY_S, stop_after=1):
                    self.set()
            connection.execute(text(f"UNLISTEN {CHANNEL}"))

    def _poll(self) -> None:
        """Poll SQLite: `data_version` changes when another connection of any process has committed."""
        with self._engine.connect() as connection:
            version = None
            while not self._closed.wait(LOOK_EVERY_S):
                current_version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
                if version not in (None, current_version):
                    self.set()
                version = current_version
