"""Operations: what a user sees of a long action, and the record of each of its steps."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class OperationState(StrEnum):
    """Where an operation is."""

    PENDING = "pending"
    RUNNING = "running"
    #: Undoing the steps that were done.
    UNWINDING = "unwinding"
    SUCCEEDED = "succeeded"
    #: Failed, and everything it did is undone.
    FAILED = "failed"
    #: Cancelled by the user, and everything it did is undone.
    CANCELLED = "cancelled"
    #: An undo failed: visible, retryable.
    STUCK = "stuck"


FINISHED = frozenset({OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED})


class StepState(StrEnum):
    """Where a step is."""

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
    #: What the step returned, as JSON.
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
    """That a process runs an operation: it changes when the lease is renewed or taken over."""

    operation_id: str
    fence: int
    #: Seconds since the epoch, by the clock of the process that runs it.
    lease_until: float


@dataclass(frozen=True, slots=True)
class Operation:
    """A long action: its saga's name is the verb, its input is fixed when it is recorded."""

    id: str
    #: Name of the saga: compose, decompose, refresh, …
    saga: str
    state: OperationState
    #: What it acts on, for people: `machine vm7`, `host kvm1`.
    subject: str
    #: Empty if the operation was read without data.
    input: dict[str, Any] = field(default_factory=dict)
    steps: tuple[StepRecord, ...] = ()
    error: str = ""
    error_code: str = ""
    cancel_requested: bool = False
    created_at: float = 0.0
    finished_at: float | None = None
    #: Process that runs it, until when its lease holds, and the token that fences off an older owner.
    owner: str = ""
    lease_until: float = 0.0
    fence: int = 0
    #: User who asked.
    requested_by: str = ""
