"""One libvirt connection a host, two lanes of calls with deadlines; a dead host costs nobody else anything.

A C call that blocks cannot be cancelled. At its deadline the lane's thread and the connection are left to
themselves and new ones are made; with three threads abandoned the host is unreachable until one returns.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import libvirt

from hostloom.hypervisor.errors import is_connection_lost, translate
from hostloom.model.errors import HostUnreachable, OutcomeUnknown

log = logging.getLogger(__name__)

T = TypeVar("T")

KEEPALIVE_S, KEEPALIVE_COUNT = 5, 3
MAX_ABANDONED = 3

_event_loop_started = threading.Lock()
_event_loop: threading.Thread | None = None


def start_event_loop() -> None:
    """libvirt's event loop, one thread a process; without it keepalive does nothing."""
    global _event_loop  # noqa: PLW0603  (libvirt has one loop a process, by design)
    with _event_loop_started:
        if _event_loop is None:
            libvirt.virEventRegisterDefaultImpl()
            _event_loop = threading.Thread(target=_run_events, name="libvirt-events", daemon=True)
            _event_loop.start()


def _run_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


class Lane:
    """One thread that makes calls one after the other."""

    def __init__(self, name: str) -> None:
        self._queue: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Queue a call."""
        future: Future[T] = Future()
        self._queue.put((call, future))
        return future

    def close(self) -> None:
        """End the thread after what is queued."""
        self._queue.put(None)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            call, future = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  (the caller gets it from the future)
                future.set_exception(error)


class HostConnection:
    """The connection to one host; opened at first use, and again when it was lost."""

    def __init__(self, host: str, uri: str, resolve: Callable[[str], str]) -> None:
        self._host, self._uri, self._resolve = host, uri, resolve
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._connection: libvirt.virConnect | None = None
        self._lanes = {"read": Lane(f"{host}-read"), "write": Lane(f"{host}-write")}
        self._abandoned = 0

    def read(self, action: str, call: Callable[[libvirt.virConnect], T], deadline_s: float = 20.0) -> T:
        """Make a call that changes nothing; once more on a new connection if the old one was lost."""
        try:
            return self._call("read", action, call, deadline_s)
        except HostUnreachable:
            if self._abandoned >= MAX_ABANDONED:
                raise
            return self._call("read", action, call, deadline_s)

    def write(self, action: str, call: Callable[[libvirt.virConnect], T], deadline_s: float = 60.0) -> T:
        """Make a changing call; OutcomeUnknown when it ran out of time or its connection was lost in it."""
        return self._call("write", action, call, deadline_s)

    def close(self) -> None:
        """Close; calls under way end with an error."""
        with self._lock:
            connection, self._connection = self._connection, None
            for lane in self._lanes.values():
                lane.close()
        if connection is not None:
            _close_quietly(connection)

    def _call(self, lane: str, action: str, call: Callable[[libvirt.virConnect], T], deadline_s: float) -> T:
        with self._lock:
            if self._abandoned >= MAX_ABANDONED:
                raise HostUnreachable(self._host, f"{self._abandoned} calls hang")
            future = self._lanes[lane].submit(lambda: self._run(action, call))
        try:
            return future.result(deadline_s)
        except TimeoutError:
            if not future.cancel() and not future.done():
                self._abandon(lane, future)
            if lane == "write":
                raise OutcomeUnknown(self._host, action, deadline_s) from None
            raise HostUnreachable(self._host, f"{action}: no answer within {deadline_s:g} s") from None

    def _run(self, action: str, call: Callable[[libvirt.virConnect], T]) -> T:
        connection = self._open()
        try:
            return call(connection)
        except libvirt.libvirtError as error:
            if is_connection_lost(error):
                self._drop(connection)
            raise translate(error, self._host, action) from error

    def _open(self) -> libvirt.virConnect:
        with self._opening:
            if self._connection is not None:
                return self._connection
            start_event_loop()
            try:
                connection = libvirt.open(self._resolve(self._uri))
            except libvirt.libvirtError as error:
                raise translate(error, self._host, "connect", opening=True) from error
            try:
                connection.setKeepAlive(KEEPALIVE_S, KEEPALIVE_COUNT)
            except libvirt.libvirtError as error:
                # The test driver has none; nothing can hang there.
                log.debug("host %s: no keepalive: %s", self._host, error)
            self._connection = connection
            return connection

    def _drop(self, connection: libvirt.virConnect) -> None:
        with self._lock:
            if self._connection is connection:
                self._connection = None
        _close_quietly(connection)

    def _abandon(self, lane: str, future: "Future[Any]") -> None:
        """Leave the lane's thread and the connection to themselves."""
        with self._lock:
            self._abandoned += 1
            self._lanes[lane].close()
            self._lanes[lane] = Lane(f"{self._host}-{lane}")
            self._connection = None
            self._opening = threading.Lock()
        future.add_done_callback(self._returned)

    def _returned(self, _future: "Future[Any]") -> None:
        with self._lock:
            self._abandoned -= 1


def _close_quietly(connection: libvirt.virConnect) -> None:
    try:
        connection.close()
    except libvirt.libvirtError as error:
        log.debug("closing: %s", error)
