"""Parses the report of a machine that is up, from a query or a form."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from hostloom.boot.report_values import MAX_TEXT, check_text
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.model.network import Address

FIELDS = ("mac", "ip", "hostname", "uptime")


@dataclass(frozen=True)
class Report:
    """The report of a machine that is up."""

    mac: MacAddress
    #: The machine's address, and the address that the report came from.
    ip: Address | None
    seen_from: str
    hostname: str
    uptime_s: float
    #: Token from the machine's script.
    secret: str = field(default="", repr=False)


def parse_report(fields: Mapping[str, str], seen_from: str, secret: str = "") -> Report:
    """Parse a report with at least `mac`; InvalidValue for unknown fields and invalid values."""
    for name, text in fields.items():
        if name not in FIELDS:
            raise InvalidValue(
                "field", name[:MAX_TEXT], "is not part of a report", f"send {', '.join(FIELDS)}"
            )
        check_text(text, name)
    return Report(
        mac=MacAddress.parse(fields.get("mac", "")),
        ip=_ip(fields.get("ip", "")),
        seen_from=seen_from,
        hostname=fields.get("hostname", ""),
        uptime_s=_seconds(fields.get("uptime", "")),
        secret=secret,
    )


def _ip(text: str) -> Address | None:
    """An address with or without a prefix length; guests without an address send an empty text."""
    if not text:
        return None
    try:
        return ip_address(text.partition("/")[0])
    except ValueError as error:
        raise InvalidValue("ip", text, "is not an IP address") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1.0
    if not math.isfinite(seconds) or seconds < 0:
        raise InvalidValue("uptime", text, "is not a number of seconds")
    return seconds
