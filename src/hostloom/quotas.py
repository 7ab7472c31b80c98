"""Rate limits: a token bucket for each address or MAC."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from hostloom.model.errors.permissions import TooManyRequests

#: Maximum number of remembered keys; the least recently used key is forgotten first.
MAX_KEYS = 10_000


@dataclass
class Quota:
    """Allows each key `burst` attempts at once, then `per_s` per second; thread-safe."""

    burst: int
    per_s: float
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[Hashable, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: Hashable) -> bool:
        """Use up an attempt; False if none is left."""
        now = self.clock()
        with self._lock:
            left, seen_at = self._left.pop(key, (float(self.burst), now))
            left = min(float(self.burst), left + (now - seen_at) * self.per_s)
            allowed = left >= 1.0
            self._left[key] = (left - 1.0 if allowed else left, now)
            if len(self._left) > MAX_KEYS:
                self._left.popitem(last=False)
            return allowed

    def is_empty(self, key: Hashable) -> bool:
        """Whether no attempt is left; uses up none."""
        with self._lock:
            left, seen_at = self._left.get(key, (float(self.burst), 0.0))
            return left + (self.clock() - seen_at) * self.per_s < 1.0 if key in self._left else False

    def check(self, key: Hashable, what: str) -> None:
        """Use up an attempt; TooManyRequests, which names `what`, if none is left."""
        if not self.take(key):
            raise TooManyRequests(what)
