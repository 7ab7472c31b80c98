"""Runs the operation of a saga from its recorded state until it ends, is stuck or must be left."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from hostloom.model.errors.base import DriverError, HostloomError
from hostloom.model.errors.server import DatabaseUnavailable, LeaseLost
from hostloom.model.errors.stale import Stale
from hostloom.model.operation import FINISHED, Operation, OperationState, StepRecord, StepState
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import ROW_ATTEMPTS
from hostloom.sagas.saga import Run, Saga, Step
from hostloom.serialization import from_json, to_json

log = logging.getLogger(__name__)

#: Pauses before a step is repeated after retryable errors.
RETRY_PAUSES_S = (0.5, 2.0)
#: After this number of conflicts the lock is taken before deciding; until then, others need not wait.
LOCKED_AFTER = 3
#: Errors that interrupt the operation: its records stay, and it continues from them.
_NOT_OF_THE_STEP = (LeaseLost, DatabaseUnavailable)
_CANCELLED = (OperationState.UNWINDING, "cancelled", "cancelled")


class Runner:
    """Runs a claimed operation from its recorded state until it ends."""

    def __init__(
        self,
        ports: Ports,
        saga: Saga[Any],
        operation: Operation,
        pause: Callable[[float], None],
        must_leave: Callable[[], bool] = lambda: False,
    ) -> None:
        """`must_leave` is called between steps: whether another runner should continue."""
        self._ports, self._saga, self._pause, self._must_leave = ports, saga, pause, must_leave
        self._operation = operation
        self._records = {record.name: record for record in operation.steps}
        #: The records that the next transaction writes.
        self._unwritten: dict[str, StepRecord] = {}
        #: The step that is running.
        self._at: Step[Any, Any] = saga.steps[0]
        self._run: Run[Any] = Run(
            ports, operation, from_json(operation.input, saga.input), save_progress=self._save_progress
        )
        for step in saga.steps:
            data = self._records[step.name].output
            if data is not None and step.output is not None:
                self._run.outputs[step.name] = from_json(data, step.output)

    def run(self) -> Operation:
        """Return the operation when it has finished, is stuck or must be left.

        LeaseLost if another process has taken over. DatabaseUnavailable leaves the operation as recorded;
        another runner of the same claim continues when the database is back.
        """
        if self._operation.state is OperationState.RUNNING:
            self._forward()
        if self._operation.state is OperationState.UNWINDING:
            if self._is_past_return():
                self._set(OperationState.RUNNING)
                self._forward()
            else:
                self._unwind()
        return self._operation

    # -- forward ---------------------------------------------------------------------------------------

    def _forward(self) -> None:
        """Continue with the first step that is not done; a step that was running is repeated."""
        if self._operation.cancel_requested and not self._is_past_return():
            self._set(*_CANCELLED)
        for step in self._saga.steps:
            if self._operation.state is not OperationState.RUNNING:
                return
            if self._records[step.name].state is StepState.DONE:
                continue
            if self._must_leave():
                self._leave()
                return
            self._advance(step)
        if self._operation.state is OperationState.RUNNING:
            self._set(OperationState.SUCCEEDED)

    def _advance(self, step: Step[Any, Any]) -> None:
        """Write the rows of a step and carry out its effect, or record why it failed."""
        self._at = step
        try:
            if self._records[step.name].state is not StepState.RUNNING:
                self._begin()
            if self._records[step.name].state is StepState.RUNNING:
                self._do(step)
        except _NOT_OF_THE_STEP:
            raise
        except Exception as error:  # noqa: BLE001  (every failure must be recorded and unwound)
            self._fail(self._at, error)

    def _do(self, step: Step[Any, Any]) -> None:
        output = None if step.do is None else self._with_retries(step.do)
        if output is not None:
            self._run.outputs[step.name] = output
        self._note(self._record(step, StepState.DONE))

    def _begin(self) -> None:
        """Begin the next step; decide again if a parallel change won."""
        for attempt in range(ROW_ATTEMPTS):
            try:
                self._begin_once(locked=attempt >= LOCKED_AFTER)
                return
            except Stale:
                if attempt == ROW_ATTEMPTS - 1:
                    raise
                if self._at.stale is not None:
                    self._at.stale(self._run)

    def _begin_once(self, *, locked: bool) -> None:
        """Write rows and records up to the next effect, in one transaction.

        `locked`: no other transaction changes the records meanwhile, so a decision inside cannot lose.
        """
        records: list[StepRecord] = []
        with self._ports.store.begin() as uow:
            if locked:
                uow.lock_world()
            for step in self._saga.steps:
                if self._records[step.name].state is StepState.DONE:
                    continue
                self._at = step
                if step.rows is not None and (output := step.rows(self._run, uow)) is not None:
                    self._run.outputs[step.name] = output
                records.append(self._record(step, StepState.RUNNING if step.do else StepState.DONE))
                if step.do is not None:
                    break
            is_over = records[-1].state is StepState.DONE
            ended = self._changed(OperationState.SUCCEEDED) if is_over else None
            if self._commit(uow, records, ended, unless_cancelled=not self._is_past_return()):
                return
        self._set(*_CANCELLED)

    def _with_retries(self, do: Callable[[Run[Any]], Any]) -> Any:
        for pause_s in RETRY_PAUSES_S:
            try:
                return do(self._run)
            except DriverError as error:
                if not error.retryable or self._run.wants_cancel():
                    raise
                log.info("operation %s: %s; trying again", self._operation.id, error)
                self._pause(pause_s)
        return do(self._run)

    def _save_progress(self, done_bytes: int, total_bytes: int | None) -> bool:
        """Write the progress of the running step; returns whether the user has requested a cancellation."""
        record = replace(self._records[self._at.name], done_bytes=done_bytes, total_bytes=total_bytes)
        self._note(record)
        with self._ports.store.begin() as uow:
            wants_cancel = not self._commit(uow, [], unless_cancelled=True)
        return wants_cancel and not self._is_past_return()

    def _fail(self, step: Step[Any, Any], error: Exception) -> None:
        text, code = _describe(error)
        if code == "bug":
            log.exception("operation %s: step %s", self._operation.id, step.name)
        stuck = self._is_past_return() or step.forward_only
        state = OperationState.STUCK if stuck else OperationState.UNWINDING
        with self._ports.store.begin() as uow:
            failed = self._record(step, StepState.FAILED, text, code)
            self._commit(uow, [failed], self._changed(state, text, code))

    def _is_past_return(self) -> bool:
        return any(
            step.forward_only and self._records[step.name].state is not StepState.PENDING
            for step in self._saga.steps
        )

    # -- backward --------------------------------------------------------------------------------------

    def _unwind(self) -> None:
        for step in reversed(self._saga.steps):
            if self._records[step.name].state in (StepState.PENDING, StepState.UNDONE):
                continue
            if self._must_leave():
                self._leave()
                return
            try:
                self._undo(step)
            except _NOT_OF_THE_STEP:
                raise
            except Exception as error:  # noqa: BLE001  (an undo that fails is a state, not a log line)
                self._stick(step, error)
                return
        cancelled = self._operation.error_code == "cancelled"
        self._set(OperationState.CANCELLED if cancelled else OperationState.FAILED, *self._reason())

    def _undo(self, step: Step[Any, Any]) -> None:
        if self._records[step.name].state is not StepState.UNDOING and (step.undo_rows or step.undo):
            with self._ports.store.begin() as uow:
                if step.undo_rows is not None:
                    step.undo_rows(self._run, uow)
                state = StepState.UNDOING if step.undo else StepState.UNDONE
                self._commit(uow, [self._record(step, state)])
        if step.undo is not None:
            self._with_retries(step.undo)
        if self._records[step.name].state is not StepState.UNDONE:
            self._note(self._record(step, StepState.UNDONE))

    def _stick(self, step: Step[Any, Any], error: Exception) -> None:
        text, code = _describe(error)
        log.warning("operation %s is stuck undoing %s: %s", self._operation.id, step.name, text)
        with self._ports.store.begin() as uow:
            failed = self._record(step, StepState.UNDO_FAILED, text, code)
            self._commit(uow, [failed], self._changed(OperationState.STUCK, *self._reason()))

    # -- records ---------------------------------------------------------------------------------------

    def _reason(self) -> tuple[str, str]:
        return self._operation.error, self._operation.error_code

    def _set(self, state: OperationState, error: str = "", code: str = "") -> None:
        with self._ports.store.begin() as uow:
            self._commit(uow, [], self._changed(state, error, code))

    def _changed(self, state: OperationState, error: str = "", code: str = "") -> Operation:
        finished_at = self._ports.clock.now() if state in FINISHED else None
        return replace(self._operation, state=state, error=error, error_code=code, finished_at=finished_at)

    def _record(self, step: Step[Any, Any], state: StepState, error: str = "", code: str = "") -> StepRecord:
        now, before = self._ports.clock.now(), self._records[step.name]
        return replace(
            before,
            state=state,
            output=None,
            error=error or before.error,
            error_code=code or before.error_code,
            started_at=now if before.started_at is None else before.started_at,
            finished_at=None if state in (StepState.RUNNING, StepState.UNDOING) else now,
        )

    def _note(self, record: StepRecord) -> None:
        """Keep a record for the next transaction; if the process dies before that, the step is repeated."""
        self._records[record.name] = self._unwritten[record.name] = record

    def _leave(self) -> None:
        """Write the pending records, so that the next runner does not repeat the steps."""
        with self._ports.store.begin() as uow:
            self._commit(uow, [])

    def _commit(
        self,
        uow: UnitOfWork,
        records: Iterable[StepRecord],
        operation: Operation | None = None,
        *,
        unless_cancelled: bool = False,
    ) -> bool:
        """Write the pending records and accept them; False, with nothing written, if cancelled."""
        new = {record.name: record for record in records}
        outputs = self._run.outputs
        both = [replace(r, output=to_json(outputs.get(r.name))) for r in (self._unwritten | new).values()]
        if both and uow.operations.save_step(self._operation, *both) and unless_cancelled:
            return False
        if operation is not None:
            uow.operations.save(operation)
        uow.commit()
        self._records |= new
        self._unwritten.clear()
        if operation is not None:
            self._operation = self._run.operation = operation
        return True


def _describe(error: Exception) -> tuple[str, str]:
    """The text and code of an error; an error without a code is reported as a bug."""
    if isinstance(error, HostloomError):
        return str(error), error.code
    return f"internal error: {type(error).__name__}: {error}", "bug"
