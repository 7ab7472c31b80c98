"""Records of operations, events and answered requests."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from hostloom.model.event import Event
from hostloom.model.event_kind import EventKind
from hostloom.model.operation import Claim, Operation, StepRecord


class Operations(Protocol):
    """Operations and their steps.

    Changing methods take the caller's fence and raise LeaseLost when another process took over.
    """

    def add(self, operation: Operation) -> Operation: ...

    def get(self, operation_id: str) -> Operation: ...

    def list(
        self, after: str | None = None, limit: int | None = None, *, unfinished: bool = False
    ) -> list[Operation]:
        """Newest first."""
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
        """Claim one without a worker or with an expired lease; its fencing token goes up.

        `besides` names operations that the caller runs itself; `dead` claims whose owners are known to be
        dead, whatever their leases say.
        """
        ...

    def ahead(self, until: float) -> Sequence[Claim]:
        """Claims of unfinished operations whose leases end after `until`."""
        ...

    def free_all(self) -> None:
        """End the lease of every unfinished operation: only where no other server can run any."""
        ...

    def renew(self, operation: Operation, lease_until: float) -> Operation: ...

    def give_back(self, operation: Operation) -> None:
        """End the lease of an unfinished operation: any server may claim it now. LeaseLost."""
        ...

    def save(self, operation: Operation) -> None:
        """Write state and error, not the steps."""
        ...

    def save_step(self, operation: Operation, *records: StepRecord) -> bool:
        """Write steps' records; whether the user wants the operation cancelled."""
        ...

    def request_cancel(self, operation_id: str) -> Operation: ...

    def retry(self, operation_id: str) -> Operation:
        """Put a STUCK operation back to UNWINDING, unclaimed; WrongState otherwise."""
        ...


class Events(Protocol):
    """What happened."""

    def add(self, *some: Event) -> None:
        """Record them; one statement."""
        ...

    def list(
        self,
        after: int | None = None,
        limit: int | None = None,
        subject: str | None = None,
        kinds: Sequence[EventKind] | None = None,
    ) -> list[Event]:
        """Newest first, those older than `after`; `subject`: `machine web1`, or the name alone."""
        ...


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer to a request with an idempotency key, to be given again."""

    key: str
    #: Hash of method, path, principal and body.
    fingerprint: str
    status: int
    body: str
    created_at: float


class Answers(Protocol):
    """Answers by idempotency key, kept for a day."""

    def find(self, key: str) -> StoredAnswer | None: ...

    def add(self, answer: StoredAnswer) -> None:
        """Claim the key (status 0: not answered yet); AlreadyExists when another request has it."""
        ...

    def settle(self, answer: StoredAnswer) -> None:
        """Replace a claim by the answer."""
        ...

    def forget(self, key: str) -> None:
        """Give a key back whose request changed nothing."""
        ...

    def prune(self, before: float) -> None: ...
