"""The state of the database, checked so rarely that anyone may ask."""

import threading
import time

from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.ports.store import Store

#: Maximum age of an answer.
KEPT_S = 1.0


class Health:
    """The last check of the database; one caller checks, and the others wait for its result."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._trouble: DatabaseUnavailable | None = None

    def check(self) -> None:
        """DatabaseUnavailable if the database cannot be read and written."""
        with self._lock:
            if time.monotonic() - self._looked_at > KEPT_S:
                self._trouble = self._look()
                self._looked_at = time.monotonic()
            trouble = self._trouble
        if trouble is not None:
            raise trouble

    def _look(self) -> DatabaseUnavailable | None:
        try:
            self._store.check()
        except DatabaseUnavailable as error:
            return error
        return None
