"""Columns of lists and lines of descriptions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hostloom.client import Document


@dataclass(frozen=True)
class Column:
    """A column of a table or a line of a description: its title, and the field or how to make it."""

    title: str
    value: str | Callable[[Document], Any]
    right: bool = False
    #: The field that a made value stands for: what --sort and --filter go by.
    field: str = ""
    #: Where there is too little room, columns of the highest rank are left out first; 0: never.
    rank: int = 0
    #: Its words may be laid over several lines. Lists are broken between their items; nothing else is broken.
    text: bool = False

    @property
    def name(self) -> str:
        """What --columns, --sort and --filter call it: `memory-mib`."""
        return self.title.lower().replace(" ", "-").replace("'", "")

    def raw(self, item: Document) -> Any:
        """The value before it is written for people."""
        return item.get(self.value) if isinstance(self.value, str) else self.value(item)

    def key(self, item: Document) -> Any:
        """What it is compared by."""
        return item.get(self.field) if self.field else self.raw(item)

    def of(self, item: Document) -> str:
        """The cell's text."""
        return cell(self.raw(item))


def cell(value: Any) -> str:
    """A value as people write it, on one line."""
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(cell(part) for part in value)
    return "".join(sign if sign.isprintable() else " " for sign in str(value))
