"""Threads that make blocking calls one after another, and can be abandoned in a call that never returns."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class GivenUp(Exception):
    """The caller no longer waits for this call, so the call must stop."""


class LaneCall(Generic[T]):
    """One call: queued, then running, perhaps past the point of its first change, then done."""

    def __init__(self, work: "Callable[[LaneCall[T]], T]") -> None:
        self.future: Future[T] = Future()
        self._work = work
        self._lock = threading.Lock()
        self._given_up = False
        self._begun = False

    def proceed(self) -> None:
        """Called before every change: raises GivenUp if the caller no longer waits.

        Without this, a call that hangs while it reads, and is abandoned, would resume later and make its
        change after that change has been undone.
        """
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._begun = True

    def give_up(self) -> bool:
        """Stop the call before its next change; returns whether it may have changed something already."""
        with self._lock:
            self._given_up = True
            return self._begun

    def run(self) -> None:
        """Do the work, unless the call was cancelled while it was queued."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._work(self))
        except BaseException as error:  # noqa: BLE001  (the future passes it to the caller)
            self.future.set_exception(error)


class Lane:
    """A queue of calls and its thread; a thread that hangs is replaced, and the queue stays."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[LaneCall[object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        #: The thread that runs a job now; a replaced thread does not count.
        self._working: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job is running or queued."""
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
        # A daemon, because a call that never returns must not prevent the process from ending.
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
            # Otherwise the variable would keep the job and its connection alive until the next job.
            del job
