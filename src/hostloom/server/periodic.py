"""Something that is done again and again in a thread of its own."""

import logging
import threading
from collections.abc import Callable

from hostloom.model.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0


class PeriodicTask:
    """Calls `call` at its start, then `every_s` seconds after each end; an error is logged, no more."""

    def __init__(self, name: str, call: Callable[[], None], every_s: float) -> None:
        self._name, self._call, self._every_s = name, call, every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Call no more; what is under way is waited for, but not for long."""
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._call()
            except DatabaseUnavailable:
                log.debug("%s waits for the database", self._name)  # the store has logged why
            except Exception:  # a thread that dies would leave its work undone for good
                log.exception("%s", self._name)
            self._stopping.wait(self._every_s)
