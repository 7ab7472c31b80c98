"""Sagas: tables of steps with an undo, such that the process may die at any point.

A step has rows (database changes, committed together with the step's record) and a `do` (effects through
ports), rows first in both directions. Every `do` is idempotent, so that a step that is *running* after a
crash is simply repeated. If a step fails, all steps are undone in reverse order, including the failed one. If
an undo or a forward-only step fails, the operation is *stuck*: visible and retryable.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from hostloom.model.access import Principal
from hostloom.model.errors.server import Cancelled
from hostloom.model.operation import Operation, OperationState, StepRecord
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.serialization import to_json

I = TypeVar("I")  # noqa: E741  (the saga's input)
O = TypeVar("O")  # noqa: E741  (a step's output)
K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")

#: Number of hosts that are worked on at the same time.
HOSTS_AT_ONCE = 8
#: Seconds between checks whether the operation was cancelled.
LOOK_EVERY_S = 1.0
#: Pause between two records of a step's progress.
REPORT_EVERY_S = 1.0


@dataclass(frozen=True)
class Step(Generic[I, O]):
    """One row of a saga's table; at most one of `rows` and `do` returns the output."""

    name: str
    #: Type of the output; None if the step has none.
    output: type[O] | None = None
    rows: "Callable[[Run[I], UnitOfWork], O | None] | None" = None
    do: "Callable[[Run[I]], O | None] | None" = None
    undo_rows: "Callable[[Run[I], UnitOfWork], None] | None" = None
    undo: "Callable[[Run[I]], None] | None" = None
    #: Called outside any transaction before `rows` are repeated after a conflict with a parallel change.
    stale: "Callable[[Run[I]], None] | None" = None
    #: The step destroys something: from here on the saga cannot be undone.
    forward_only: bool = False


@dataclass(frozen=True)
class Saga(Generic[I]):
    """A named table of steps over one type of input."""

    name: str
    input: type[I]
    steps: tuple[Step[I, Any], ...]

    def describe_steps(self) -> tuple[StepRecord, ...]:
        """The step records of a new operation."""
        return tuple(StepRecord(step.name) for step in self.steps)


@dataclass
class Run(Generic[I]):
    """One run of a saga in this process, with the context for its steps."""

    ports: Ports
    operation: Operation
    input: I
    outputs: dict[str, Any] = field(default_factory=dict)
    #: Records the progress of the running step; returns whether the user has requested a cancellation.
    save_progress: "Callable[[int, int | None], bool]" = lambda _done, _total: False
    #: Values that this process has read, by the function that reads them; they are not recorded.
    _kept: "dict[Callable[[Run[I]], Any], Any]" = field(default_factory=dict)
    _reported_at: float = 0.0

    def output(self, step: Step[I, O]) -> O:
        """The output of an earlier step of this operation."""
        return cast("O", self.outputs[step.name])

    def once(self, read: "Callable[[Run[I]], T]") -> T:
        """The result of `read`, which is called at most once."""
        return cast("T", self._kept[read]) if self.is_kept(read) else self.keep(read, read(self))

    def keep(self, read: "Callable[[Run[I]], T]", value: T) -> T:
        """Let `once` return this value from now on; returns the value."""
        self._kept[read] = value
        return value

    def is_kept(self, read: "Callable[[Run[I]], Any]") -> bool:
        """Whether `once` would return without reading."""
        return read in self._kept

    def forget(self) -> None:
        """Forget all values that were read."""
        self._kept.clear()

    def wants_cancel(self) -> bool:
        """Whether the user has requested a cancellation; for long effects."""
        with self.ports.store.begin() as uow:
            return uow.operations.get(self.operation.id, with_data=False).cancel_requested

    def report(self, done_bytes: int, total_bytes: int | None) -> None:
        """Record the progress of a long effect, at most once per second; Cancelled after a cancellation."""
        now = self.ports.clock.now()
        if abs(now - self._reported_at) < REPORT_EVERY_S:
            return
        self._reported_at = now
        if self.save_progress(done_bytes, total_bytes):
            raise Cancelled("cancelled")

    def has(self, step: Step[I, Any]) -> bool:
        """Whether that step has an output; it may have failed before it had one."""
        return self.outputs.get(step.name) is not None


def start_saga(
    uow: UnitOfWork, ports: Ports, principal: Principal, saga: Saga[I], saga_input: I, subject: str
) -> Operation:
    """Record the operation; it runs after the unit of work is committed."""
    data: dict[str, Any] = to_json(saga_input)
    return uow.operations.add(
        Operation(
            id=ports.ids.uuid(),
            saga=saga.name,
            state=OperationState.PENDING,
            subject=subject,
            input=data,
            steps=saga.describe_steps(),
            created_at=ports.clock.now(),
            requested_by=principal.name,
        )
    )


def for_each_host(
    run: Run[Any],
    work: Mapping[K, Sequence[T]],
    do: Callable[[K, Iterator[T]], R],
    *,
    to_the_end: bool = False,
) -> list[R]:
    """Call `do` with each key and its items, in parallel; results in the order of the keys.

    After a failure or a cancellation no further item begins (the iterators end the thread's work), and the
    first failure is raised. `to_the_end`: every item is tried despite failures and cancellations, for undos.
    """
    if sum(map(len, work.values())) == 1:
        return [do(key, iter(items)) for key, items in work.items()]
    stop = threading.Event()

    def until_stopped(items: Sequence[T]) -> Iterator[T]:
        for item in items:
            if stop.is_set():
                raise Cancelled("cancelled")
            yield item

    with ThreadPoolExecutor(HOSTS_AT_ONCE, "compose") as pool:
        futures = [pool.submit(do, key, until_stopped(items)) for key, items in work.items()]
        if not to_the_end:
            _watch(run, futures, stop)
    failures = [future.exception() for future in futures]
    for failure in sorted(filter(None, failures), key=lambda error: isinstance(error, Cancelled)):
        raise failure
    return [future.result() for future in futures]


def _watch(run: Run[Any], futures: Sequence[Future[Any]], stop: threading.Event) -> None:
    """Stop all threads at the first failure or after a cancellation."""
    pending = set(futures)
    while pending and not stop.is_set():
        finished, pending = wait(pending, LOOK_EVERY_S, FIRST_EXCEPTION)
        if any(future.exception() is not None for future in finished) or (pending and run.wants_cancel()):
            stop.set()
