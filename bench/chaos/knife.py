"""Kill this very process at a chosen point of its work: installed in a server before it serves."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import libvirt

from hostloom.dhcp.control import Control
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.sagas import worker
from hostloom.sagas.runner import Runner
from hostloom.sagas.saga import Run
from hostloom.store.transaction import Transaction

#: Calls of libvirt that change a host.
_LIBVIRT = {
    libvirt.virConnect: ("defineXML", "defineXMLFlags", "createXML"),
    libvirt.virDomain: ("create", "createWithFlags", "destroy", "destroyFlags", "undefine", "undefineFlags"),
    libvirt.virStoragePool: ("createXML",),
    libvirt.virStorageVol: ("delete", "resize", "upload", "wipe"),
}


class Where(StrEnum):
    """Points that are counted."""

    #: Before and after a transaction of a worker: the boundaries of a step.
    STEP = "step"
    #: Before and after a transaction of a request.
    REQUEST = "request"
    LIBVIRT = "libvirt"
    KEA = "kea"
    #: All of these, but only while an operation unwinds.
    UNWIND = "unwind"


@dataclass(frozen=True)
class Plan:
    """Die at the `after`-th point of the kind; have the compose fail after its step `fail`."""

    where: Where | None = None
    after: int = 1
    fail: str = ""


class Knife:
    """Counts points, once it is armed, and kills at the chosen one; a file says which it was."""

    def __init__(self, plan: Plan, note: Path) -> None:
        self._plan, self._note = plan, note
        self._lock = threading.Lock()
        self._count = 0
        self._unwinding = threading.local()
        self._armed = False

    def install(self) -> None:
        """Wrap what is counted."""
        if self._plan.fail:
            _fail_after(self._plan.fail)
        if self._plan.where is None:
            return
        self._wrap(Transaction, "commit", self._kind_of_commit, lambda _: "commit")
        for kind, methods in _LIBVIRT.items():
            for method in methods:
                self._wrap(kind, method, lambda: Where.LIBVIRT, lambda _, name=method: name)
        self._wrap(Control, "command", lambda: Where.KEA, lambda words: str(words[0]))
        self._mark_unwinding()

    def arm(self) -> None:
        """Count from now on."""
        self._armed = True

    def reach(self, kind: Where, what: str) -> None:
        """A point is reached; this may not return."""
        if not self._armed:
            return
        is_unwinding = getattr(self._unwinding, "on", False)
        wanted = is_unwinding if self._plan.where is Where.UNWIND else kind is self._plan.where
        if not wanted:
            return
        with self._lock:
            self._count += 1
            if self._count == self._plan.after:
                path = "unwinding" if is_unwinding else "forward"
                self._note.write_text(f"{kind} {what} ({path})")
                os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def _kind_of_commit() -> Where:
        is_worker = threading.current_thread().name.startswith(("worker-", "compose"))
        return Where.STEP if is_worker else Where.REQUEST

    def _wrap(self, owner: Any, name: str, kind: Callable[[], Where], what: Callable[[Any], str]) -> None:
        call = getattr(owner, name)

        def counted(first: Any, *words: Any, **options: Any) -> Any:
            self.reach(kind(), f"before {what(words)}")
            answer = call(first, *words, **options)
            self.reach(kind(), f"after {what(words)}")
            return answer

        setattr(owner, name, counted)

    def _mark_unwinding(self) -> None:
        unwind = Runner._unwind  # noqa: SLF001  (the one way into unwinding)

        def marked(runner: Runner) -> None:
            self._unwinding.on = True
            try:
                unwind(runner)
            finally:
                self._unwinding.on = False

        Runner._unwind = marked  # type: ignore[method-assign]  # noqa: SLF001


def _fail_after(name: str) -> None:
    """Have every compose fail when the step is done."""
    saga = worker.SAGAS["compose"]

    def failing(do: Callable[[Run[Any]], Any] | None) -> Callable[[Run[Any]], Any]:
        def call(run: Run[Any]) -> Any:
            if do is not None:
                do(run)
            raise HypervisorRejected("chaos", f"go on after {name}", "the campaign wants it to fail")

        return call

    steps = tuple(replace(step, do=failing(step.do)) if step.name == name else step for step in saga.steps)
    worker.SAGAS["compose"] = replace(saga, steps=steps)
