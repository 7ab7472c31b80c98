"""Operations: long actions with the records of their steps."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class OperationState(StrEnum):
    """The states of an operation."""

    PENDING = "pending"
    RUNNING = "running"
    #: Undoing the steps that were done.
    UNWINDING = "unwinding"
    SUCCEEDED = "succeeded"
    #: The operation failed, and its steps were undone.
    FAILED = "failed"
    #: The user cancelled the operation, and its steps were undone.
    CANCELLED = "cancelled"
    #: An undo failed. The operation stays visible and can be retried.
    STUCK = "stuck"


FINISHED = frozenset({OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED})


class StepState(StrEnum):
    """The states of a step."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    UNDO_FAILED = "undo-failed"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of an operation."""

    name: str
    state: StepState = StepState.PENDING
    #: The result of the step as JSON.
    output: Any = None
    #: The text and code of the error that stopped the operation.
    error: str = ""
    error_code: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    #: Of a step that moves much data: how much it has processed, and how much there is if that is known.
    done_bytes: int | None = None
    total_bytes: int | None = None


@dataclass(frozen=True)
class Claim:
    """The lease of a process on an operation; it changes when it is renewed or taken over."""

    operation_id: str
    fence: int
    #: Seconds since the epoch, by the clock of the process that runs it.
    lease_until: float


@dataclass(frozen=True, slots=True)
class Operation:
    """A long action. The input cannot change after it is recorded."""

    id: str
    #: Name of the saga: compose, decompose, refresh, …
    saga: str
    state: OperationState
    #: The subject for display: `machine vm7`, `host kvm1`.
    subject: str
    #: Empty if the operation was read without data.
    input: dict[str, Any] = field(default_factory=dict)
    steps: tuple[StepRecord, ...] = ()
    error: str = ""
    error_code: str = ""
    cancel_requested: bool = False
    created_at: float = 0.0
    finished_at: float | None = None
    #: The process that runs it, the end of its lease, and the fencing token that stops an older owner.
    owner: str = ""
    lease_until: float = 0.0
    fence: int = 0
    #: The user who requested it.
    requested_by: str = ""
