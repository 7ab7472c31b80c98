"""Makes storage pool calls, which may hang, on their own connections with deadlines.

A hanging call delays other calls on its connection by seconds, and libvirtd serves only five calls of a
connection at a time.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import libvirt

from hostloom.hypervisor.errors import close_quietly, is_alive
from hostloom.hypervisor.lanes import Lane, LaneCall
from hostloom.model.errors.base import DriverError

log = logging.getLogger(__name__)

T = TypeVar("T")
#: Opens a second connection, or returns the given one if the driver allows only one.
OpenSide = Callable[[libvirt.virConnect], libvirt.virConnect]

#: Time after which a call counts as hanging.
DEADLINE_S = 8.0
#: Libvirtd has about twenty threads for all clients; hanging calls may occupy at most this number.
MAX_HANGING = 3


class PoolHangs(Exception):
    """A call about a pool does not return; the text gives the evidence."""


class PoolCalls:
    """The calls about the pools of one host, one after the other."""

    def __init__(self, open_side: OpenSide | None, deadline_s: float) -> None:
        self._open_side, self._deadline_s = open_side, deadline_s
        self._lane = Lane("pools")
        self._lock = threading.Lock()
        self._side: libvirt.virConnect | None = None
        #: When the unfinished calls began, by subject.
        self._hanging: dict[str, float] = {}
        #: How long abandoned calls took when they returned at last, by subject.
        self._took_s: dict[str, float] = {}

    def make(self, main: libvirt.virConnect, about: str, call: Callable[[libvirt.virConnect], T]) -> T:
        """Make a call; PoolHangs if it, or an earlier call about the same subject, does not return."""
        cause = f"it does not answer: no call about it has returned within {self._deadline_s:g} s"
        with self._lock:
            if about in self._hanging:
                raise PoolHangs(cause)
            if len(self._hanging) >= MAX_HANGING:
                raise PoolHangs("it was not asked: calls about other storage pools hang")
        begun_at = time.monotonic()
        job: LaneCall[T] = LaneCall(lambda _: call(self._connection(main)))
        self._lane.submit(job)
        try:
            return job.future.result(self._deadline_s)
        except TimeoutError:
            if job.future.done():
                return job.future.result()
        with self._lock:
            self._hanging[about] = begun_at
            side, self._side = self._side, None
        self._lane.replace_thread()
        job.future.add_done_callback(lambda future: self._returned(about, begun_at, side, future))
        raise PoolHangs(cause)

    def count_hanging(self) -> int:
        """The number of calls that have not returned."""
        with self._lock:
            return len(self._hanging)

    def hangs_for_s(self, about: str) -> float | None:
        """How long the call about a subject has been hanging; None if no call hangs."""
        with self._lock:
            begun_at = self._hanging.get(about)
        return None if begun_at is None else time.monotonic() - begun_at

    def slowest_s(self, about: str) -> float:
        """How long the last abandoned call took; the value is returned only once."""
        with self._lock:
            return self._took_s.pop(about, 0.0)

    def close(self) -> None:
        """End the thread and the connection."""
        self._lane.close()
        with self._lock:
            side, self._side = self._side, None
        if side is not None:
            threading.Thread(target=close_quietly, args=(side,), daemon=True).start()

    def _connection(self, main: libvirt.virConnect) -> libvirt.virConnect:
        """The side connection, or the main one if the driver allows only one."""
        with self._lock:
            side = self._side
        if side is not None and is_alive(side):
            return side
        if self._open_side is None:
            return main
        try:
            side = self._open_side(main)
        except (libvirt.libvirtError, DriverError) as error:
            log.info("storage pools are read on the main connection: %s", error)
            return main
        if side is not main:
            with self._lock:
                self._side = side
        return side

    def _returned(
        self, about: str, begun_at: float, side: libvirt.virConnect | None, _future: "Future[T]"
    ) -> None:
        with self._lock:
            self._hanging.pop(about, None)
            self._took_s[about] = time.monotonic() - begun_at
        if side is not None:
            close_quietly(side)
