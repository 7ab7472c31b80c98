"""Records events when a subnet has no free address for leases, and when it has one again."""

from collections.abc import Iterable

from hostloom.decide.dhcp.range_utilization import range_utilizations
from hostloom.decide.snapshot import Snapshot
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SubnetId
from hostloom.model.network import Address

Leased = Iterable[tuple[SubnetId, Address]]


def fill_events(snapshot: Snapshot, before: Leased, now: Leased, time: float) -> list[Event]:
    """The events `range-exhausted` and `range-free` between two states of leases, by subnet."""
    was, utilizations = range_utilizations(snapshot, before), range_utilizations(snapshot, now)
    events = []
    for subnet_id, fill in sorted(utilizations.items()):
        if fill.is_exhausted is was[subnet_id].is_exhausted:
            continue
        cidr = snapshot.subnet_by_id[subnet_id].cidr
        subject = EventSubject(EventSubjectKind.SUBNET, str(subnet_id), str(cidr))
        kind = EventKind.RANGE_EXHAUSTED if fill.is_exhausted else EventKind.RANGE_FREE
        left = "others get no lease" if fill.is_exhausted else "there is room again"
        text = f"{fill.leased} of {fill.total} dynamic addresses are leased: {left}"
        details = {"leased": str(fill.leased), "total": str(fill.total)}
        events.append(Event(kind, subject, text, time, details=details))
    return events
