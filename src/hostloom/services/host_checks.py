"""Checks and steps that are common to adding and changing a host."""

from decimal import Decimal
from typing import Any

from hostloom.model.decimals import exact
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event import Event, host_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import (
    MAX_OVER_COMMIT,
    Host,
)
from hostloom.ports.context import Ports
from hostloom.ports.hosts import HostKeys
from hostloom.ports.store import UnitOfWork

RATIOS = ("cpu_over_commit_ratio", "memory_over_commit_ratio")


def first_key(keys: HostKeys, uri: str) -> str | None:
    """The fingerprint of the first key of a host; None if a key is pinned or not needed."""
    if keys.pinned(uri) is not None:
        return None
    offered = keys.offered(uri)
    return offered[0].fingerprint if offered else None


def record_trust(uow: UnitOfWork, ports: Ports, host: Host, fingerprint: str | None) -> None:
    """Record the event that a key was trusted without being compared."""
    text = f"the first SSH key that it showed is trusted from now on: {fingerprint}"
    uow.events.add(Event(EventKind.HOST_KEY_TRUSTED, host_subject(host), text, ports.clock.now()))


def with_exact_ratios(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a host with its over-commit ratios as exact numbers; InvalidValue outside their range."""
    ratios = {name: _exact_ratio(name, fields[name]) for name in RATIOS if name in fields}
    return fields | ratios


def _exact_ratio(field: str, value: float) -> Decimal:
    if not 0 <= value <= MAX_OVER_COMMIT:
        raise InvalidValue(field, value, "is out of range", f"use a ratio from 0 to {MAX_OVER_COMMIT}")
    return exact(value)
