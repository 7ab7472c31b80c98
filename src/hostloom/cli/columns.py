"""Columns of lists and lines of descriptions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

#: A row: one of the API's answers (`hostloom.client.answers`), and the names of its fields.
T = TypeVar("T", bound=Mapping[str, Any])
K = TypeVar("K", bound=str)


@dataclass(frozen=True)
class Column(Generic[T, K]):
    """A column of a table or a line of a description: a title, and a field or a function for the value."""

    title: str
    value: K | Callable[[T], Any]
    right: bool = False
    #: The field behind a computed value, which --sort and --filter use.
    field: K | None = None
    #: If space is short, columns with the highest rank are left out first; 0: never.
    rank: int = 0
    #: Whether its words may wrap over several lines. Lists wrap between items; nothing else wraps.
    text: bool = False

    @property
    def name(self) -> str:
        """The name for --columns, --sort and --filter: `memory-mib`."""
        return self.title.lower().replace(" ", "-").replace("'", "")

    def raw(self, item: T) -> Any:
        """The value before formatting."""
        return item[self.value] if isinstance(self.value, str) else self.value(item)

    def key(self, item: T) -> Any:
        """The sort key."""
        return self.raw(item) if self.field is None else item[self.field]

    def of(self, item: T) -> str:
        """The cell's text."""
        return cell(self.raw(item))


#: The columns of one table.
Columns = Sequence[Column[T, K]]


def cell(value: Any) -> str:
    """Format a value on one line."""
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(cell(part) for part in value)
    return "".join(sign if sign.isprintable() else " " for sign in str(value))
