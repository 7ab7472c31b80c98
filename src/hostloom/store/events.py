"""Events in the database."""

from sqlalchemy import insert, select

from hostloom.model.event import Event
from hostloom.store.tables import events
from hostloom.store.transaction import Transaction, columns_of


class Events:
    """What happened."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, event: Event) -> None:
        """Record one; its id is given."""
        self.tx.write(
            insert(events).values(
                kind=event.kind,
                subject=event.subject,
                message=event.message,
                at=event.at,
                details=event.details,
            )
        )

    def list(self, after: int | None = None, limit: int | None = None) -> list[Event]:
        """Newest first, those older than `after`."""
        query = select(events).order_by(events.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(events.c.id < after)
        return [Event(**columns_of(row)) for row in self.tx.rows(query)]
