"""Events: what happened, newest first."""

from hostloom.model.access import Principal
from hostloom.model.event import Event
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_user


def list_(
    uow: UnitOfWork,
    principal: Principal,
    after: int | None = None,
    limit: int | None = None,
    subject: str | None = None,
) -> list[Event]:
    """Newest first, older than `after`; optionally of one subject, such as `machine web1` or `web1`."""
    require_user(principal, "see events")
    return uow.events.list(after, limit, subject)
