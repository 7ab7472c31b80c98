"""The marker that a change uses for a field that stays as it is."""

from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Keep(Enum):
    """The type of KEEP, for annotations such as `str | Keep`."""

    KEEP = "keep"


#: The default of every field of a `…Changes` class. None cannot be that mark: some fields take it as a value.
KEEP: Final = Keep.KEEP

T = TypeVar("T")


def changed(change: T | Keep, current: T) -> T:
    """The value of a field after a change."""
    return current if isinstance(change, Keep) else change


def changed_fields(changes: "DataclassInstance") -> dict[str, Any]:
    """The fields that a change sets, by name."""
    values = {field.name: getattr(changes, field.name) for field in fields(changes)}
    return {name: value for name, value in values.items() if value is not KEEP}
