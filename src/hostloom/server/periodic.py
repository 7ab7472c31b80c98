"""Runs reconcilers periodically, each in its own thread, and reports how their last runs went."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.model.reconciler import Reconciler

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0
#: Limit of an error text; longer texts are cut.
MAX_ERROR = 500


class Task(Protocol):
    """A running task that reports on itself."""

    def report(self) -> Reconciler:
        """The result of the last run."""
        ...


class Reports:
    """The reports of all tasks that run in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: list[Task] = []

    def add(self, task: Task) -> None:
        """Include a task's report from now on."""
        with self._lock:
            self._tasks.append(task)

    def remove(self, task: Task) -> None:
        """Leave a task's report out from now on."""
        with self._lock:
            if task in self._tasks:
                self._tasks.remove(task)

    def all(self) -> Sequence[Reconciler]:
        """The reports, by name."""
        with self._lock:
            tasks = list(self._tasks)
        return sorted((task.report() for task in tasks), key=lambda reconciler: reconciler.name)


class PeriodicTask:
    """Calls `run` when it starts, then `every_s` seconds after each end.

    A run that fails is logged and reported, and the next one takes place as usual.
    """

    def __init__(self, name: str, run: Callable[[], None], every_s: float, reports: Reports) -> None:
        self._call, self._reports = run, reports
        self._report = Reconciler(name, every_s)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._reports.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Start no further run; wait for the current one, at most STOP_TIMEOUT_S."""
        self._reports.remove(self)
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    def report(self) -> Reconciler:
        """The result of the last run."""
        return self._report

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._report = replace(self._report, started_at=time.time())
            start_time = time.monotonic()
            error = self._run_once()
            self._report = replace(
                self._report,
                duration_s=time.monotonic() - start_time,
                runs=self._report.runs + 1,
                failures=self._report.failures + 1 if error else 0,
                error=error[:MAX_ERROR],
            )
            self._stopping.wait(self._report.every_s)

    def _run_once(self) -> str:
        """Run once; returns why the run failed, or an empty text."""
        try:
            self._call()
        except DatabaseUnavailable as error:
            log.debug("%s waits for the database", self._report.name)  # the store has logged why
            return str(error)
        except HostloomError as error:
            log.exception("%s", self._report.name)
            return str(error)
        except Exception as error:  # a thread that dies would leave its work undone for good
            log.exception("%s", self._report.name)
            return f"{type(error).__name__} (see the server's log)"
        return ""
