"""Requests as decisions take them."""

from typing import Any

from hostloom.decide.request.resolve import parse_request
from hostloom.model.request import ComposeRequest, ParsedRequest


def a_request(**written: Any) -> ParsedRequest:
    """The request with these fields, parsed."""
    return parse_request(ComposeRequest(**written))
