"""Limits how often a client may ask: a token bucket for each address or MAC."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from hostloom.model.errors.permissions import TooManyRequests

#: Keys that are remembered; the one that asked longest ago is forgotten first.
MAX_KEYS = 10_000


@dataclass
class Quota:
    """`burst` tries at once, then `per_s` a second, for each key; safe to use from several threads."""

    burst: int
    per_s: float
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[Hashable, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: Hashable) -> bool:
        """Whether there is a try left, which is used up."""
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
        """Whether there is no try left; none is used up."""
        with self._lock:
            left, seen_at = self._left.get(key, (float(self.burst), 0.0))
            return left + (self.clock() - seen_at) * self.per_s < 1.0 if key in self._left else False

    def check(self, key: Hashable, what: str) -> None:
        """Use up a try; TooManyRequests, which names `what`, where none is left."""
        if not self.take(key):
            raise TooManyRequests(what)
