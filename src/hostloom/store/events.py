"""Events in the database."""

from sqlalchemy import insert, select

from hostloom.model.event import Event
from hostloom.store.tables import events
from hostloom.store.transaction import Transaction, columns_of


class Events:
    """What happened."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, *some: Event) -> None:
        """Record them in one statement; their ids are given."""
        names = ("kind", "subject", "message", "at", "details")
        self.tx.write(insert(events), [{name: getattr(event, name) for name in names} for event in some])

    def list(
        self, after: int | None = None, limit: int | None = None, subject: str | None = None
    ) -> list[Event]:
        """Newest first, those older than `after`; of one subject, with or without its noun."""
        query = select(events).order_by(events.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(events.c.id < after)
        if subject is not None:
            column_element = events.c.subject.endswith(f" {subject}", autoescape=True)
            query = query.where((events.c.subject == subject) | column_element)
        return [Event(**columns_of(row)) for row in self.tx.rows(query)]
