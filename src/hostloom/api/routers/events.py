"""Events over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from hostloom.api.calls import Reading
from hostloom.api.forms import Out, Text
from hostloom.api.paging import PageOut, Paging
from hostloom.services import events

router = APIRouter(prefix="/events", tags=["events"])


class EventOut(Out):
    """Something that happened; `at` in seconds since the epoch."""

    id: int
    kind: str
    subject: str
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
) -> Response:
    """List events, newest first."""
    with call.begin() as uow:
        found = events.list_(uow, call.principal, page.after_number, page.more, subject)
    event_outs = [
        EventOut(
            id=event.id,
            kind=event.kind,
            subject=event.subject,
            message=event.message,
            at=event.at,
            details=event.details,
        )
        for event in found
    ]
    return call.page(page, event_outs, lambda each: each.id)
