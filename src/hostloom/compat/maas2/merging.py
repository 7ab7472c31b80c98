"""Merging what clients keep with a thing, as they send it: an empty value takes a key away."""

from typing import Any

from hostloom.model.annotation import Annotated
from hostloom.ports import UnitOfWork


def merge_notes(uow: UnitOfWork, kind: Annotated, key: str | int, changes: dict[str, Any]) -> None:
    """Write these annotations beside those that are there."""
    notes = uow.annotations.of(kind, [key]).get(key, {})
    uow.annotations.put(kind, key, {**notes, **changes})


def without_empty(values: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """Values after changes, without those that are empty then."""
    return {name: value for name, value in {**values, **changes}.items() if value}
