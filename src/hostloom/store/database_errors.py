"""Converts driver errors that are problems of the database itself to one error that names the cause."""

import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection, Engine, Transaction, event, text, update
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hostloom.model.errors.server import DatabaseTrouble, DatabaseUnavailable
from hostloom.store.tables import world

log = logging.getLogger(__name__)

#: SQLite's result codes, by the first part of their names: https://www.sqlite.org/rescode.html
_SQLITE = {
    "SQLITE_BUSY": DatabaseTrouble.LOCKED,
    "SQLITE_LOCKED": DatabaseTrouble.LOCKED,
    "SQLITE_PROTOCOL": DatabaseTrouble.LOCKED,
    "SQLITE_FULL": DatabaseTrouble.FULL,
    "SQLITE_READONLY": DatabaseTrouble.READ_ONLY,
    "SQLITE_PERM": DatabaseTrouble.READ_ONLY,
    "SQLITE_CANTOPEN": DatabaseTrouble.GONE,
    "SQLITE_CORRUPT": DatabaseTrouble.DAMAGED,
    "SQLITE_NOTADB": DatabaseTrouble.DAMAGED,
    "SQLITE_IOERR": DatabaseTrouble.FAILING,
    "SQLITE_NOMEM": DatabaseTrouble.FAILING,
}
#: PostgreSQL's error codes, by their beginning: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "08": DatabaseTrouble.GONE,
    "57P": DatabaseTrouble.GONE,
    "53100": DatabaseTrouble.FULL,
    "53": DatabaseTrouble.BUSY,
    "55P03": DatabaseTrouble.LOCKED,
    "40": DatabaseTrouble.LOCKED,
    "57014": DatabaseTrouble.LOCKED,
    "25006": DatabaseTrouble.READ_ONLY,
    "58": DatabaseTrouble.FAILING,
    "XX": DatabaseTrouble.FAILING,
}
#: Free space in the folder of a SQLite database below which the database counts as full.
MIN_FREE_BYTES = 2**20
#: Time limit of a health check for a lock.
CHECK_WAIT_S = 2.0
#: Minimum interval between log entries about the same problem.
LOG_EVERY_S = 30.0


def name_troubles(engine: Engine) -> None:
    """Make the engine raise DatabaseUnavailable if the database, not the statement, is the cause."""
    event.listen(engine, "handle_error", _on_error)


def _on_error(context: ExceptionContext) -> None:
    # The pool replaces a connection that is dead before its use.
    trouble = None if context.is_pre_ping else trouble_of(context.original_exception)
    if trouble is not None:
        _refuse(trouble, context.original_exception)


def trouble_of(error: BaseException) -> DatabaseTrouble | None:
    """The database problem behind an error; None if the statement itself was wrong."""
    if isinstance(error, sqlite3.Error):
        return _sqlite_trouble(error)
    code = getattr(error, "sqlstate", None)
    if code is not None:
        return _by_prefix(_POSTGRESQL, code)
    # Psycopg sets no code if there is no connection.
    names = {kind.__name__ for kind in type(error).__mro__}
    return DatabaseTrouble.GONE if names & {"OperationalError", "InterfaceError"} else None


def _sqlite_trouble(error: sqlite3.Error) -> DatabaseTrouble | None:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name == "SQLITE_READONLY_DBMOVED":
        return DatabaseTrouble.GONE
    if name.startswith("SQLITE_IOERR") and _is_full(error):
        return DatabaseTrouble.FULL
    return _by_prefix(_SQLITE, name)


def _by_prefix(troubles: Mapping[str, DatabaseTrouble], code: str) -> DatabaseTrouble | None:
    """The problem of the first prefix that matches, so that longer prefixes come first."""
    return next((trouble for prefix, trouble in troubles.items() if code.startswith(prefix)), None)


def _is_full(error: sqlite3.Error) -> bool:
    return "disk is full" in str(error)


def _refuse(trouble: DatabaseTrouble, cause: BaseException | str) -> NoReturn:
    _Logged.tell(trouble, str(cause))
    raise DatabaseUnavailable(trouble) from (cause if isinstance(cause, BaseException) else None)


class _Logged:
    """Logs the messages of the driver, which are not for callers, because they may be anonymous."""

    _lock = threading.Lock()
    _at: dict[DatabaseTrouble, float] = {}  # noqa: RUF012  (one log, one memory of it)

    @classmethod
    def tell(cls, trouble: DatabaseTrouble, message: str) -> None:
        """Log a problem, unless the same one has just been logged."""
        with cls._lock:
            now_s = time.monotonic()
            is_new = now_s - cls._at.get(trouble, -LOG_EVERY_S) >= LOG_EVERY_S
            if is_new:
                cls._at[trouble] = now_s
        if is_new:
            log.warning("the database cannot be used: %s: %s", trouble.value, " ".join(message.split()))


def connect(engine: Engine) -> Connection:
    """Get a connection from the pool; DatabaseUnavailable if none becomes free in time."""
    try:
        return engine.connect()
    except PoolTimeout as error:
        _refuse(DatabaseTrouble.BUSY, error)


class SqliteFile:
    """Identity of the opened file. SQLite continues to write to a removed file, and that data is lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = self._identity()

    def check(self) -> None:
        """DatabaseUnavailable unless the path still names the file that was opened."""
        found = self._identity()
        if found is None or found != self._opened:
            _refuse(DatabaseTrouble.GONE, f"{self._path} was removed or replaced")

    def check_room(self) -> None:
        """DatabaseUnavailable if the folder is full."""
        try:
            free_bytes = shutil.disk_usage(self._path.parent).free
        except OSError as error:
            _refuse(DatabaseTrouble.GONE, error)
        if free_bytes < MIN_FREE_BYTES:
            _refuse(DatabaseTrouble.FULL, f"{self._path.parent} has {free_bytes} bytes left")

    def _identity(self) -> tuple[int, int] | None:
        try:
            stat_result = os.stat(self._path)  # noqa: PTH116  (every transaction does it, and a Path costs more)
        except OSError:
            return None
        return stat_result.st_dev, stat_result.st_ino


def check_writing(engine: Engine) -> None:
    """Commit a write that changes nothing; DatabaseUnavailable."""
    with connect(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{CHECK_WAIT_S:g}s'"))
            _touch(connection, connection.get_transaction())
            return
        # The pragma belongs to the connection, which returns to the pool.
        waits_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {CHECK_WAIT_S * 1000:.0f}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _touch(connection, connection.get_transaction())
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {waits_ms}")


def _touch(connection: Connection, transaction: Transaction | None) -> None:
    connection.execute(update(world).values(floor=world.c.floor))
    if transaction is not None:
        transaction.commit()
