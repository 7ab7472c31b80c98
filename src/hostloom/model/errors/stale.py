"""The basis of a request has changed, or the request was already sent."""

from collections.abc import Sequence

from hostloom.model.errors.base import RequestError, named


class Stale(RequestError):
    """The basis of the request has changed in the meantime."""

    code = "stale"
    hint = "read it again and repeat the request"


class StaleGeneration(Stale):
    """The row has another generation than the caller read; `found` is None where it is not known."""

    def __init__(self, kind: str, key: object, wanted: int, found: int | None = None) -> None:
        now = "" if found is None else f"; it has generation {found} now"
        super().__init__(f"{named(kind, key)} has changed since generation {wanted}{now}")
        self.kind, self.key = kind, str(key)
        self.wanted, self.found = str(wanted), "" if found is None else str(found)


class WorldChanged(Stale):
    """A plan was made from an earlier revision of the world, and its resources are taken."""

    hint = "repeat the request"

    def __init__(self, planned: int, current: int) -> None:
        super().__init__(
            f"the plan was made at revision {planned}, and the world has changed: it is at {current}"
        )
        self.planned, self.current = planned, current


class RoomTaken(Stale):
    """Parallel requests filled the host that was chosen."""

    hint = "repeat the request"

    def __init__(self, host: str) -> None:
        super().__init__(f"host {host!r} no longer has room for the machine: other requests have filled it")
        self.host = host


class ReadMeanwhile(Stale):
    """A later reading of the host was already recorded."""

    hint = "nothing needs to be done: the later reading counts"

    def __init__(self, host: str) -> None:
        super().__init__(f"host {host!r} was read again while this reading was under way")
        self.host = host


class PlanTaken(Stale):
    """A parallel request applies the same plan."""

    hint = "wait for the operation of the other request"

    def __init__(self, plan: str) -> None:
        super().__init__(f"plan {plan!r} is being applied by another request")
        self.plan = plan


class PlanStale(RequestError):
    """The plan differs from the present decision; `text` describes the differences."""

    code = "plan-stale"
    hint = "plan again, and look at what is different"

    def __init__(self, plan: str, differences: Sequence[object], text: Sequence[str]) -> None:
        super().__init__(f"plan {plan} is out of date: {'; '.join(text)}")
        self.plan, self._differences, self._text = plan, tuple(differences), tuple(text)

    @property
    def differences(self) -> tuple[object, ...]:
        """model.stored_plan.PlanDifference (typed as object: errors are imported by everything)."""
        return self._differences

    @property
    def text(self) -> tuple[str, ...]:
        """The differences as text, one line each."""
        return self._text


class IdempotencyConflict(RequestError):
    """The idempotency key was used before with another request."""

    code = "idempotency-conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key!r} was used for a different request")
        self.key = key


class IdempotencyPending(RequestError):
    """A request with this idempotency key is being answered, or its process died before it was."""

    code = "idempotency-pending"
    hint = "wait for the first request; if its server was killed, check what it did before you use a new key"

    def __init__(self, key: str) -> None:
        super().__init__(f"the request with idempotency key {key!r} has not been answered yet")
        self.key = key
