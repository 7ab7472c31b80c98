"""Describes invalid fields of a request in one sentence each.

The web framework finds them, but its texts mention its own types, so they are not passed on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hostloom.model.errors.base import shown_value

#: The problem and the allowed values by pydantic's type of error; `{…}` are limits from the error.
_SENTENCES = {
    "extra_forbidden": "is not a field of this request",
    "missing": "is missing",
    "none_required": "must be null",
    "bool_type": "is not true or false",
    "bool_parsing": "is not true or false",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is too large a number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "finite_number": "is not a finite number",
    "decimal_type": "is not a number",
    "decimal_parsing": "is not a number",
    "greater_than": "is too low; give more than {gt}",
    "greater_than_equal": "is too low; give at least {ge}",
    "less_than": "is too high; give less than {lt}",
    "less_than_equal": "is too high; give at most {le}",
    "string_type": "is not text",
    "string_unicode": "is not text that UTF-8 can hold",
    "string_too_long": "is too long; give at most {max_length} characters",
    "string_too_short": "is too short; give at least {min_length} characters",
    "string_pattern_mismatch": "does not match the pattern {pattern}",
    "list_type": "is not a list",
    "tuple_type": "is not a list",
    "set_type": "is not a list",
    "frozen_set_type": "is not a list",
    "dict_type": "is not an object",
    "mapping_type": "is not an object",
    "model_type": "is not an object",
    "model_attributes_type": "is not an object",
    "dataclass_type": "is not an object",
    "too_long": "has too many entries; give at most {max_length}",
    "too_short": "has too few entries; give at least {min_length}",
    "enum": "is unknown; choose {expected}",
    "literal_error": "is unknown; choose {expected}",
    "recursion_loop": "is nested too deeply",
    "recursion_depth_exceeded": "is nested too deeply",
}
#: For error types of later versions of pydantic.
_OTHERWISE = "has a value that this field cannot hold"
_NOT_JSON = "is not JSON"
#: Error types whose value is the whole object around the field.
_WITHOUT_VALUE = frozenset({"missing", "json_invalid"})
#: Fields with secret values, which are never repeated.
_SECRET = frozenset({"password", "secret", "token"})


def field_errors(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The name (empty: the whole body), plain value and problem of every invalid field."""
    return [_field_error(error) for error in errors]


def sentence(error: Mapping[str, Any]) -> str:
    """A sentence about an invalid field."""
    value = shown_value(error.get("value"))
    return " ".join(filter(None, (error["field"] or "the body", value, error["message"])))


def is_not_json(errors: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the body is not JSON."""
    return any(error["type"] == "json_invalid" for error in errors)


def _field_error(error: Mapping[str, Any]) -> dict[str, Any]:
    if error["type"] == "json_invalid":
        return {"field": "", "message": _NOT_JSON}
    path = [str(part) for part in error["loc"][1:]]
    entry: dict[str, Any] = {"field": ".".join(path), "message": _message(error)}
    value = error.get("input")
    is_told = error["type"] not in _WITHOUT_VALUE and not _SECRET.intersection(path)
    if is_told and isinstance(value, str | int | bool):
        entry["value"] = value
    return entry


def _message(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])  # raised by one of our validators
    if kind in ("too_long", "too_short") and isinstance(error.get("input"), str):
        kind = f"string_{kind}"
    return _SENTENCES.get(kind, _OTHERWISE).format_map(context)
