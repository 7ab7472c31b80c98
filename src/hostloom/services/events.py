"""Events: what happened, newest first."""

from collections.abc import Sequence

from hostloom.model.access import Principal
from hostloom.model.event import Event
from hostloom.model.event_kind import EventKind, Severity, kinds_of
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_user


def list_(
    uow: UnitOfWork,
    principal: Principal,
    after: int | None = None,
    limit: int | None = None,
    subject: str | None = None,
    kinds: Sequence[EventKind] = (),
    least: Severity = Severity.INFO,
) -> list[Event]:
    """List events that are older than `after` and at least as severe as `least`, newest first.

    `subject` is a name, alone or after its kind (`machine web1`); no `kinds` means all.
    """
    require_user(principal, "see events")
    severe = kinds_of(least)
    event_kinds = [kind for kind in kinds or severe if kind in severe]
    return uow.events.list(after, limit, subject, None if len(event_kinds) == len(EventKind) else event_kinds)
