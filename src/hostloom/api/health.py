"""Whether the database can be used, looked at seldom enough that anybody may ask."""

import threading
import time

from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.ports.store import Store

#: An answer is this old at most.
KEPT_S = 1.0


class Health:
    """The last look at the database; one caller looks, the others wait for what it finds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._trouble: DatabaseUnavailable | None = None

    def check(self) -> None:
        """DatabaseUnavailable where the database cannot be read and written."""
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
