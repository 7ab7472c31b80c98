"""Events in the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update

from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.store.tables import events
from hostloom.store.transaction import Transaction

_SUBJECT_KINDS = frozenset(kind.value for kind in EventSubjectKind)


class Events:
    """Events in the database."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, *recorded: Event) -> None:
        """Record events in one statement; the database gives them their ids."""
        self.tx.write(insert(events), [_row(event) for event in recorded])

    def list(
        self,
        after: int | None = None,
        limit: int | None = None,
        subject: str | None = None,
        kinds: Sequence[EventKind] | None = None,
    ) -> list[Event]:
        """Events older than `after`, newest first; `subject`: its name, alone or after its kind."""
        query = select(events).order_by(events.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(events.c.id < after)
        if subject is not None:
            query = query.where(_is_about(subject))
        if kinds is not None:
            query = query.where(events.c.kind.in_(kinds))
        return [_event(row) for row in self.tx.rows(query)]

    def rename_key(self, kind: EventSubjectKind, before: str, after: str) -> None:
        """Update the events of a record that gets a new id."""
        is_subject = and_(events.c.subject_kind == kind, events.c.subject_key == before)
        self.tx.write(update(events).where(is_subject).values(subject_key=after))


def _is_about(subject: str) -> ColumnElement[bool]:
    kind, _, name = subject.partition(" ")
    is_named = events.c.subject_name == subject
    if kind not in _SUBJECT_KINDS:
        return is_named
    is_of_kind = events.c.subject_kind == EventSubjectKind(kind)
    return or_(is_named, and_(is_of_kind, events.c.subject_name == name))


def _row(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "subject_kind": event.subject.kind,
        "subject_key": event.subject.key,
        "subject_name": event.subject.name,
        "message": event.message,
        "at": event.at,
        "details": event.details,
    }


def _event(row: Row[Any]) -> Event:
    subject = EventSubject(row.subject_kind, row.subject_key, row.subject_name)
    return Event(row.kind, subject, row.message, row.at, row.id, row.details)
