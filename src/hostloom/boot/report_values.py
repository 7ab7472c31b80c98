"""Checks that all reports of machines share."""

import json
from typing import Any

from hostloom.model.errors.values import InvalidValue

MAX_TEXT = 255
_TYPE_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "an object",
}


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; InvalidValue for anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidValue("body", None, f"of {len(body)} bytes is not JSON", "send a JSON object") from error
    if not isinstance(document, dict):
        problem = f"is not a JSON object but {type_name(document)}"
        raise InvalidValue("body", None, problem, "send one with the fields of the report")
    return document


def check_fields(document: dict[str, Any], fields: frozenset[str]) -> None:
    """InvalidValue if a report has other fields than these."""
    if unknown := sorted(document.keys() - fields):
        problem = f"has the unknown field {unknown[0][:MAX_TEXT]!r}"
        raise InvalidValue("body", None, problem, f"send {', '.join(sorted(fields))}")


def check_text(text: str, field: str) -> str:
    """The text; InvalidValue if it is longer than a line or has control characters."""
    if len(text) > MAX_TEXT or not text.isprintable():
        allowed = f"send at most {MAX_TEXT} printable characters"
        raise InvalidValue(field, text[:40], "is too long or not printable", allowed)
    return text


def type_name(value: object) -> str:
    """The type of a JSON value, for messages."""
    return _TYPE_NAMES.get(type(value), "a list" if isinstance(value, list | tuple) else "null")
