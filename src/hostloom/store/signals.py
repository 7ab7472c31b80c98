"""Wake those who wait for an operation, in this process and, through the database, in others."""

import logging
import threading
import time

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.store.operations import CHANNEL

log = logging.getLogger(__name__)

#: How often SQLite is asked whether anybody wrote, and PostgreSQL's listener whether it should end.
LOOK_EVERY_S = 0.25
#: Pause after a lost connection.
RECONNECT_S = 2.0


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
        """Wake every waiter, and those who wait next for the first time."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Return as soon as something happened that this thread has not returned for, or at the timeout."""
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
                log.debug("waiting for the database")  # logged where it was found out
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
        """`data_version` moves when another connection, of any process, has committed."""
        with self._engine.connect() as connection:
            version = None
            while not self._closed.wait(LOOK_EVERY_S):
                current_version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
                if version not in (None, current_version):
                    self.set()
                version = current_version
