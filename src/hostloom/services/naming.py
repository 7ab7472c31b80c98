"""Checks names, and finds records by name or id."""

from typing import Protocol

from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import is_id
from hostloom.ports.repositories import find_by_key

__all__ = [
    "MAX_NAME",
    "check_generation",
    "check_name",
    "find_by_key",
    "is_id",
]

MAX_NAME = 255


class _Versioned(Protocol):
    @property
    def generation(self) -> int: ...


def check_name(name: str, field: str = "name") -> str:
    """Return the name if it is valid in a path and is not a number, else raise InvalidValue."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise InvalidValue(
            field,
            name,
            "is not a name",
            f"use 1 to {MAX_NAME} printable characters, with no space at either end",
        )
    if name.isdigit():
        raise InvalidValue(field, name, "would be taken for an id", "use a name that is not a number")
    if "/" in name or not name.strip("."):
        raise InvalidValue(field, name, "contains a slash or consists of dots", "choose another name")
    return name


def check_generation(kind: str, key: object, item: _Versioned, expected: int | None) -> None:
    """Raise StaleGeneration if the caller's generation differs from the stored one."""
    if expected is not None and expected != item.generation:
        raise StaleGeneration(kind, key, expected, item.generation)
