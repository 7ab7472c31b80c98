"""Events over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from hostloom.api.calls import Reading
from hostloom.api.forms import Out, Text
from hostloom.api.paging import PageOut, Paging
from hostloom.model.event import Event, EventSubjectKind
from hostloom.model.event_kind import EventKind, Severity
from hostloom.services import events

router = APIRouter(prefix="/events", tags=["events"])


class EventOut(Out):
    """An event; `at` in seconds since the epoch."""

    id: int
    kind: EventKind
    severity: Severity
    subject: str = Field(description="Its kind and its name: `machine web1`.")
    subject_kind: EventSubjectKind
    subject_key: str = Field(
        description="What a rename does not change: a system id or an id, else the name; may be empty."
    )
    subject_name: str
    message: str
    at: float
    details: dict[str, Any]


@router.get("", response_model=PageOut[EventOut])
def list_events(
    call: Reading,
    page: Paging,
    subject: Annotated[
        Text | None,
        Query(max_length=255, description="Only those of this subject: `machine web1`, or `web1`."),
    ] = None,
    kind: Annotated[
        list[EventKind], Query(max_length=100, description="Only events of this kind; may be repeated.")
    ] = [],  # noqa: B006  (FastAPI copies it)
    severity: Annotated[
        Severity, Query(description="Only events that are at least so severe.")
    ] = Severity.INFO,
) -> Response:
    """List events, newest first."""
    with call.begin() as uow:
        page_of_events = events.list_(
            uow, call.principal, page.after_number, page.more, subject, kind, severity
        )
    return call.page(page, [_shown(event) for event in page_of_events], lambda event: event.id)


def _shown(event: Event) -> EventOut:
    return EventOut(
        id=event.id,
        kind=event.kind,
        severity=event.severity,
        subject=str(event.subject),
        subject_kind=event.subject.kind,
        subject_key=event.subject.key,
        subject_name=event.subject.name,
        message=event.message,
        at=event.at,
        details=event.details,
    )
