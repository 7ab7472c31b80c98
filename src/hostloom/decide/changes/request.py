"""Applies a hypothetical change to a request."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from hostloom.decide.request.resolve import with_texts
from hostloom.model.errors.values import InvalidValue
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange
from hostloom.model.request import ParsedRequest

#: Upper limit of numbers in changes.
MOST = 10**18


def apply_to_request(request: ParsedRequest, change: HypotheticalChange) -> ParsedRequest:
    """The request after the change; unchanged after a change of the snapshot."""
    if change.kind is not ChangeKind.CHANGE_REQUEST:
        return request
    alter = _REQUEST.get(change.subject)
    if alter is not None:
        return alter(request, change.value)
    raise InvalidValue(
        "subject", change.subject, "is not an option of a request", "name one such as netboot or interfaces"
    )


_REQUEST: dict[str, Callable[[ParsedRequest, str], ParsedRequest]] = {
    "netboot": lambda request, value: replace(request, netboot=_flag(value)),
    "cores": lambda request, value: replace(request, cores=int(positive("value", value))),
    "memory_mib": lambda request, value: replace(request, memory_mib=int(positive("value", value))),
    "host": lambda request, value: replace(request, host=value or None),
    "zone": lambda request, value: replace(request, zone=None, zone_id=None, in_zone=None, **_nothing(value)),
    "resource_pool": lambda request, value: replace(
        request, resource_pool=None, resource_pool_id=None, in_resource_pool=None, **_nothing(value)
    ),
    "host_tags": lambda request, value: replace(request, host_tags=tuple(filter(None, value.split(",")))),
    "not_host_tags": lambda request, value: replace(
        request, not_host_tags=tuple(filter(None, value.split(",")))
    ),
    "interfaces": lambda request, value: with_texts(request, interfaces=value),
    "storage": lambda request, value: with_texts(request, storage=value),
    "architecture": lambda request, value: replace(request, architecture=value or None),
}


def _nothing(value: str) -> dict[str, Any]:
    """Refuse another zone or resource pool: it can only be left out, because its id is unknown here."""
    if value:
        raise InvalidValue(
            "value",
            value,
            "is not possible here",
            "leave it empty, so that every zone or resource pool is allowed",
        )
    return {}


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidValue("value", text, "is neither true nor false")
    return text == "true"


def positive(field: str, text: str) -> Decimal:
    """Parse a positive number; InvalidValue."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 < number < MOST:
        raise InvalidValue(field, text, "is not a number above 0")
    return number
