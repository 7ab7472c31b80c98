"""Tell drift: an event for each difference that is new, and for each that is over."""

from collections.abc import Sequence

from hostloom.decide.explain.drift import render_change, render_end
from hostloom.model.drift import Drift
from hostloom.model.event import Event
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork

#: Events of one reading about one thing; the rest is counted.
MAX_TOLD = 50


def record_drift(
    uow: UnitOfWork, ports: Ports, subject: str, before: Sequence[Drift], now: Sequence[Drift]
) -> None:
    """Record events for what is in `now` only, and for what was in `before` only; one statement."""
    began = [("drift", render_change(change)) for change in now if change not in before]
    ended = [("drift-ended", render_end(change)) for change in before if change not in now]
    texts = began + ended
    if len(texts) > MAX_TOLD:
        texts = [*texts[:MAX_TOLD], ("drift", f"{len(texts) - MAX_TOLD} more differences")]
    if texts:
        at = ports.clock.now()
        uow.events.add(*(Event(kind, subject, text, at) for kind, text in texts))
