"""How answers are shown: tables for people, JSON and YAML for programs."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer
import yaml
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hostloom.client import Document

#: Columns of a line where the output is no terminal and COLUMNS is not set: a program reads it.
WIDE = 400


class Format(StrEnum):
    """How to show an answer."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Output = Annotated[Format, typer.Option("-o", "--output", help="How to show the answer.", show_default=True)]


@dataclass(frozen=True)
class Column:
    """A column of a table or a line of a description: its title, and the field or how to make it."""

    title: str
    value: str | Callable[[Document], Any]
    right: bool = False
    #: Never broken over lines; the first column never is.
    whole: bool = False

    def of(self, item: Document) -> str:
        """The cell's text."""
        return cell(item.get(self.value) if isinstance(self.value, str) else self.value(item))


def cell(value: Any) -> str:
    """A value as people write it."""
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(cell(each) for each in value)
    return str(value)


def console(*, stderr: bool = False) -> Console:
    """Made for each use, so that it sees the terminal as it is now; NO_COLOR is rich's own business."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDE
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def say(text: str) -> None:
    """A line for people, beside the answer."""
    console(stderr=True).print(Text(text), soft_wrap=True)


def show_list(items: Sequence[Document], columns: Sequence[Column], output: Format, empty: str) -> None:
    """A list; `empty` says what to do when there is nothing yet."""
    if output is not Format.TABLE:
        show_data(list(items), output)
    elif items:
        show(table(items, columns))
    else:
        say(empty)


def show_one(
    item: Document, columns: Sequence[Column], output: Format, parts: Sequence[tuple[str, Table | str]] = ()
) -> None:
    """One thing, its fields below each other, then its parts."""
    if output is not Format.TABLE:
        show_data(item, output)
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for column in columns:
        grid.add_row(column.title.lower(), Text(column.of(item)))
    show(grid)
    for title, part in parts:
        show("", Text(title, style="bold"), part if isinstance(part, Table) else Text(part))


def show(*things: RenderableType) -> None:
    """Print things for people; what is no terminal gets no spaces at the ends of lines."""
    printer = console()
    if printer.is_terminal:
        printer.print(*things, sep="\n")
        return
    with printer.capture() as captured:
        printer.print(*things, sep="\n")
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def show_data(value: Any, output: Format) -> None:
    """A document, for programs."""
    if output is Format.YAML:
        sys.stdout.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    else:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def show_done(text: str, item: Document, output: Format) -> None:
    """What was done: a line for people, the document for programs."""
    if output is Format.TABLE:
        console().print(Text(text), soft_wrap=True)
    else:
        show_data(item, output)


def table(items: Sequence[Document], columns: Sequence[Column]) -> Table:
    """Columns under their titles, without lines."""
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for number, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        found.add_column(column.title, justify=justify, overflow="fold", no_wrap=column.whole or number == 0)
    for item in items:
        found.add_row(*(Text(column.of(item)) for column in columns))
    return found


def when(seconds: float | None) -> str:
    """A time as people write it, in UTC."""
    if seconds is None:
        return "never"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def size(count: int) -> str:
    """Bytes as people write them: decimal, as disks are sold."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= factor:
            return f"{count / factor:.4g} {unit}"
    return f"{count} B"


def memory(mib: int) -> str:
    """MiB as people write them."""
    return f"{mib / 1024:g} GiB" if mib >= 1024 and mib % 256 == 0 else f"{mib} MiB"
