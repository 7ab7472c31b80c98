"""A lock of a fake: it can be copied with it, and the copy's is free."""

import threading
from typing import Any, Self


class Lock:
    """Re-entrant."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return type(self)()
