"""One libvirt connection per host with two lanes of calls with deadlines, so that hosts do not block others.

A blocking C call cannot be cancelled. When its deadline passes, its thread and connection are abandoned and
replaced. After three abandoned calls the host counts as unreachable for a while, then one call may try again.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import libvirt

from hostloom.hypervisor.errors import (
    cause_of,
    close_quietly,
    is_alive,
    is_connection_lost,
    silence_libvirt,
    translate,
)
from hostloom.hypervisor.lanes import GivenUp, Lane, LaneCall
from hostloom.model.errors.outside import HostUnreachable, HostUnreadable, OutcomeUnknown
from hostloom.model.finding import PARSE_ERRORS, in_words

log = logging.getLogger(__name__)

T = TypeVar("T")
#: A call on a connection; it calls `proceed` before each change.
Call = Callable[[libvirt.virConnect, Callable[[], None]], T]

KEEPALIVE_S, KEEPALIVE_COUNT = 5, 3
MAX_ABANDONED = 3


@dataclass(frozen=True)
class Deadlines:
    """How long to wait for a host."""

    read_s: float = 20.0
    write_s: float = 60.0
    #: Pause after three hung calls; it doubles while the host stays unreachable.
    cool_down_s: float = 30.0
    max_cool_down_s: float = 900.0
    #: Time limit for closing a connection.
    close_s: float = 2.0


_event_loop_lock = threading.Lock()
_event_loop: threading.Thread | None = None


def start_event_loop() -> None:
    """Silence libvirt and run its event loop in one thread per process; keepalive depends on the loop."""
    global _event_loop  # noqa: PLW0603  (libvirt has one loop a process, by design)
    with _event_loop_lock:
        if _event_loop is None:
            silence_libvirt()
            libvirt.virEventRegisterDefaultImpl()
            _event_loop = threading.Thread(target=_run_events, name="libvirt-events", daemon=True)
            _event_loop.start()


def _run_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


class _Lost(Exception):
    """The connection broke during a call, so it is unknown whether the host received the call."""

    def __init__(self, error: HostUnreachable) -> None:
        self.error = error


class HostConnection:
    """The connection to one host; opened at first use, and reopened after it was lost."""

    def __init__(self, host: str, uri: str, resolve: Callable[[str], str], patience: Deadlines) -> None:
        #: Names the host in errors; a renamed host keeps its connection.
        self.host = host
        self.patience = patience
        self._uri, self._resolve = uri, resolve
        self._read, self._write = Lane(f"{host}-read"), Lane(f"{host}-write")
        self._lock = threading.Lock()
        #: Held while the connection is being opened, so that two lanes do not open two connections.
        self._opening = threading.Lock()
        self._connection: libvirt.virConnect | None = None
        self._closed = False
        self._abandoned = 0
        self._retry_at = 0.0
        self._cool_down_s = patience.cool_down_s

    def read(self, action: str, call: Callable[[libvirt.virConnect], T], deadline_s: float = 0) -> T:
        """Make a read-only call; if the connection breaks during it, repeat it once on a new connection."""
        deadline = time.monotonic() + (deadline_s or self.patience.read_s)
        try:
            return self._call(self._read, action, lambda connection, _: call(connection), deadline)
        except _Lost:
            log.info("host %s: connecting again to %s", self.host, action)
        try:
            return self._call(self._read, action, lambda connection, _: call(connection), deadline)
        except _Lost as lost:
            raise lost.error from lost.error.__cause__

    @property
    def is_busy(self) -> bool:
        """Whether a read is running."""
        return self._read.is_busy

    def ping(self, call: Callable[[libvirt.virConnect], object], deadline_s: float) -> None:
        """Check that the host answers. Does nothing while another read is running.

        That read has its own deadline, and waiting for it would not show whether the host answers.
        """
        if not self.is_busy:
            self.read("ask for a sign of life", call, deadline_s)

    def write(self, action: str, call: Call[T], deadline_s: float = 0) -> T:
        """Make a changing call; OutcomeUnknown if it times out or its connection breaks during it."""
        deadline = time.monotonic() + (deadline_s or self.patience.write_s)
        try:
            return self._call(self._write, action, call, deadline)
        except _Lost as lost:
            timeout_s = deadline_s or self.patience.write_s
            raise OutcomeUnknown(self.host, action, timeout_s, lost.error.cause) from lost.error

    def separately(self, action: str, call: Callable[[libvirt.virConnect], T]) -> T:
        """Make a long call on a separate connection, in the caller's thread.

        It delays no other call and has no deadline; keepalive ends it when the host does not answer.
        OutcomeUnknown if its connection breaks.
        """
        main = self.read("connect", lambda connection: connection)
        try:
            connection = self.open_side(main)
        except libvirt.libvirtError as error:
            raise translate(error, self.host, "connect", opening=True) from error
        try:
            return call(connection)
        except libvirt.libvirtError as error:
            if is_connection_lost(error) or not is_alive(connection):
                raise OutcomeUnknown(self.host, action, 0, cause_of(error)) from error
            raise translate(error, self.host, action) from error
        finally:
            if connection is not main:
                close_quietly(connection)

    def close(self) -> None:
        """Close the connection; running calls end with an error, and later calls are refused."""
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
        self._read.close()
        self._write.close()
        if connection is not None:
            # Closing the connection to a dead host blocks.
            closer = threading.Thread(target=close_quietly, args=(connection,), daemon=True)
            closer.start()
            closer.join(self.patience.close_s)

    # -- one call ----------------------------------------------------------------------------------------

    def _call(self, lane: Lane, action: str, call: Call[T], deadline: float) -> T:
        self._check_reachable()
        lane_call: LaneCall[T] = LaneCall(lambda lane_call: self._run(lane_call, action, call))
        begun_at = time.monotonic()
        lane.submit(lane_call)
        try:
            result = lane_call.future.result(max(0.0, deadline - begun_at))
        except TimeoutError:
            return self._settle_late(lane, lane_call, action, deadline - begun_at)
        with self._lock:
            self._retry_at, self._cool_down_s = 0.0, self.patience.cool_down_s
        return result

    def _settle_late(self, lane: Lane, lane_call: LaneCall[T], action: str, waited_s: float) -> T:
        if lane_call.future.cancel():
            raise HostUnreachable(self.host, f"{action}: other calls took longer than {waited_s:.3g} s")
        changed = lane_call.give_up()
        if lane_call.future.done():
            with suppress(GivenUp):
                return lane_call.future.result()
        else:
            self._abandon(lane, lane_call)
        if lane is self._write and changed:
            raise OutcomeUnknown(self.host, action, round(waited_s, 3))
        raise HostUnreachable(self.host, f"{action}: no answer within {waited_s:.3g} s")

    def _run(self, lane_call: LaneCall[T], action: str, call: Call[T]) -> T:
        connection = self._open()
        try:
            return call(connection, lane_call.proceed)
        except libvirt.libvirtError as error:
            failure = translate(error, self.host, action)
            if is_connection_lost(error) or not is_alive(connection):
                self._drop(connection)
                raise _Lost(HostUnreachable(self.host, cause_of(error))) from error
            raise failure from error
        except PARSE_ERRORS as error:
            log.exception("host %s: the answer to %s", self.host, action)
            raise HostUnreadable(self.host, f"the answer to {action}", in_words(error)) from error

    # -- the connection ----------------------------------------------------------------------------------

    def _open(self) -> libvirt.virConnect:
        opening = self._opening
        with opening:
            connection = self._connection
            if connection is not None and is_alive(connection):
                return connection
            start_event_loop()
            try:
                connection = libvirt.open(self._resolve(self._uri))
            except libvirt.libvirtError as error:
                raise translate(error, self.host, "connect", opening=True) from error
            _keep_alive(connection)
            with self._lock:
                if self._closed:
                    raise HostUnreachable(self.host, "its connection was closed")
                if opening is not self._opening:
                    # This call hung and was abandoned, and another connection was opened meanwhile.
                    raise GivenUp
                self._connection = connection
            return connection

    def open_side(self, main: libvirt.virConnect) -> libvirt.virConnect:
        """Open a second connection for calls that may hang; the caller closes it.

        libvirt's test driver keeps its state in the connection, so there this is the main connection.
        """
        if main.getType() == "TEST":
            return main
        connection = libvirt.open(self._resolve(self._uri))
        _keep_alive(connection)
        return connection

    def _drop(self, connection: libvirt.virConnect) -> None:
        with self._lock:
            if self._connection is connection:
                self._connection = None
        close_quietly(connection)

    # -- calls that hang ---------------------------------------------------------------------------------

    def _check_reachable(self) -> None:
        """Refuse calls while too many calls hang; after the pause, let one call through as a trial."""
        with self._lock:
            if self._closed:
                raise HostUnreachable(self.host, "its connection was closed")
            now_s = time.monotonic()
            if self._abandoned < MAX_ABANDONED or self._retry_at == 0.0:
                return
            if now_s < self._retry_at:
                cause = f"{self._abandoned} calls hang; it is asked again in {self._retry_at - now_s:.0f} s"
                raise HostUnreachable(self.host, cause)
            self._retry_at = now_s + self._cool_down_s

    def _abandon(self, lane: Lane, lane_call: LaneCall[T]) -> None:
        """Abandon the lane's thread and the connection, and count the hanging call."""
        with self._lock:
            self._abandoned += 1
            self._connection = None
            self._opening = threading.Lock()
            if self._abandoned >= MAX_ABANDONED:
                self._retry_at = time.monotonic() + self._cool_down_s
                self._cool_down_s = min(2 * self._cool_down_s, self.patience.max_cool_down_s)
        lane.replace_thread()
        lane_call.future.add_done_callback(self._returned)

    def _returned(self, _future: object) -> None:
        with self._lock:
            self._abandoned -= 1


def _keep_alive(connection: libvirt.virConnect) -> None:
    try:
        connection.setKeepAlive(KEEPALIVE_S, KEEPALIVE_COUNT)
    except libvirt.libvirtError as error:
        # Drivers inside this process do not support keepalive and do not need it.
        log.debug("no keepalive: %s", error)
