"""Records of operations, events and answered requests."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from hostloom.model.event import Event
from hostloom.model.event_kind import EventKind
from hostloom.model.operation import Claim, Operation, StepRecord


class Operations(Protocol):
    """Operations and their steps.

    Changing methods take the caller's fencing token and raise LeaseLost if another process has taken over.
    """

    def add(self, operation: Operation) -> Operation: ...

    def get(self, operation_id: str, *, with_data: bool = True) -> Operation:
        """By id; without data, the input and the outputs of its steps, which may be large, are left out."""
        ...

    def list(
        self,
        after: str | None = None,
        limit: int | None = None,
        *,
        unfinished: bool = False,
        saga: str | None = None,
        with_data: bool = True,
    ) -> list[Operation]:
        """Newest first, or those of one saga; `with_data` as in `get`."""
        ...

    def claim(
        self,
        owner: str,
        now: float,
        lease_s: float,
        *,
        besides: Collection[str] = (),
        dead: Collection[Claim] = (),
    ) -> Operation | None:
        """Claim an operation without a worker or with an expired lease; its fencing token increases.

        `besides` contains operations that the caller runs itself; `dead` contains claims of owners that are
        known to be dead, so that their leases are ignored.
        """
        ...

    def ahead(self, until: float) -> Sequence[Claim]:
        """Claims of unfinished operations whose leases end after `until`."""
        ...

    def free_all(self) -> None:
        """End the leases of all unfinished operations; only allowed if no other server can run any."""
        ...

    def renew(self, operation: Operation, lease_until: float) -> Operation: ...

    def give_back(self, operation: Operation) -> None:
        """End the lease of an unfinished operation, so that any server can claim it. LeaseLost."""
        ...

    def save(self, operation: Operation) -> None:
        """Write the state and error of the operation, but not its steps."""
        ...

    def save_step(self, operation: Operation, *records: StepRecord) -> bool:
        """Write records of steps; returns whether the user has requested a cancellation."""
        ...

    def request_cancel(self, operation_id: str) -> Operation: ...

    def retry(self, operation_id: str) -> Operation:
        """Set a STUCK operation to UNWINDING, unclaimed; WrongState otherwise."""
        ...


class Events(Protocol):
    """The recorded events."""

    def add(self, *events: Event) -> None:
        """Record events in one statement."""
        ...

    def list(
        self,
        after: int | None = None,
        limit: int | None = None,
        subject: str | None = None,
        kinds: Sequence[EventKind] | None = None,
    ) -> list[Event]:
        """Events older than `after`, newest first; `subject`: `machine web1`, or only the name."""
        ...


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer to a request with an idempotency key, for repeated requests."""

    key: str
    #: Hash of method, path, principal and body.
    fingerprint: str
    status: int
    body: str
    created_at: float


class Answers(Protocol):
    """Answers by idempotency key, stored for a day."""

    def find(self, key: str) -> StoredAnswer | None: ...

    def add(self, answer: StoredAnswer) -> None:
        """Claim the key (status 0: not answered yet); AlreadyExists if another request has it."""
        ...

    def settle(self, answer: StoredAnswer) -> None:
        """Replace a claim by the answer."""
        ...

    def forget(self, key: str) -> None:
        """Free a key, because its request changed nothing."""
        ...

    def prune(self, before: float) -> None: ...
