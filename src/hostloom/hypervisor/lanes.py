"""Threads that make blocking calls one after the other, and can be left behind in one that never returns."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class GivenUp(Exception):
    """The caller no longer waits for this call, so the call must stop."""


class LaneCall(Generic[T]):
    """One call: queued, then running, possibly past the point where it changes something, then done."""

    def __init__(self, work: "Callable[[LaneCall[T]], T]") -> None:
        self.future: Future[T] = Future()
        self._work = work
        self._lock = threading.Lock()
        self._given_up = False
        self._begun = False

    def proceed(self) -> None:
        """Ask, before every call that changes something, whether anybody still waits; GivenUp if not.

        Without this, a call that hangs in a look and is given up would wake later and still do its work,
        after it has been undone.
        """
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._begun = True

    def give_up(self) -> bool:
        """Stop it before its next step; whether it may have changed something already."""
        with self._lock:
            self._given_up = True
            return self._begun

    def run(self) -> None:
        """Do the work, unless it was cancelled while it waited."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._work(self))
        except BaseException as error:  # noqa: BLE001  (who waits for the future gets it)
            self.future.set_exception(error)


class Lane:
    """A queue of calls and its thread; a thread that hangs is replaced, and the queue stays."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[LaneCall[object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        #: The thread that runs a job now; one that was replaced does not count.
        self._working: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job runs, or waits for its turn."""
        thread = self._working
        return not self._queue.empty() or (thread is not None and thread is self._thread)

    def submit(self, job: "LaneCall[T]") -> None:
        """Queue a job; the first one starts the thread."""
        with self._lock:
            if self._thread is None:
                self._start()
        self._queue.put(job)  # type: ignore[arg-type]  # the lane never looks at a job's result

    def replace_thread(self) -> None:
        """Abandon the thread, which ends when its call returns, and start another one."""
        with self._lock:
            self._start()

    def close(self) -> None:
        """End the thread after the queued calls; a hanging thread ends when its call returns."""
        with self._lock:
            if self._thread is not None:
                self._queue.put(None)

    def _start(self) -> None:
        # A daemon: a call that never returns must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._thread is threading.current_thread():
            job = self._queue.get()
            if job is None:
                return
            self._working = threading.current_thread()
            job.run()
            if self._working is threading.current_thread():
                self._working = None
            # The loop's variable would keep the job, and with it a connection, until the next one comes.
            del job
