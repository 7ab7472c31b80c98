"""Shows answers: tables for people, JSON and YAML for programs."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostloom.cli.columns import Columns, K, T

if TYPE_CHECKING:  # rich and yaml take too long to import for help and completion
    from rich.console import Console, RenderableType
    from rich.table import Table

#: Line width if the output is not a terminal and COLUMNS is not set, because a program reads it.
WIDE = 400
#: Width of a terminal that does not report its width.
USUAL_WIDTH = 80
#: Minimum width; smaller reported widths are ignored.
LEAST_WIDTH = 20


class Format(StrEnum):
    """How to show an answer."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Output = Annotated[
    Format, typer.Option("-o", "--output", metavar="FORMAT", help="Output format: table, json or yaml.")
]


#: The requested format, which also applies to errors.
asked_format: ContextVar[Format] = ContextVar("asked_format", default=Format.TABLE)
_OUTPUT_OPTION = re.compile(r"(?:--output|-[A-Za-z]*o)(?:=?(json|yaml|table|wide))?")
#: Fields that hold a time, in seconds since the epoch.
_TIME_FIELD = re.compile(r"at|.+_at")


def format_of(words: Sequence[str]) -> Format:
    """The format that the command line requests, read before the command line is parsed."""
    output_format = Format.TABLE
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        option = _OUTPUT_OPTION.fullmatch(word)
        name = option and (option[1] or following)
        if name in list(Format):
            output_format = Format(name)
    return output_format


def console(*, stderr: bool = False) -> "Console":
    """Make a console for one use, with the terminal's current size; rich itself reads NO_COLOR."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = declared_width() or (_terminal_width(stream.fileno()) if stream.isatty() else WIDE)
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def declared_width() -> int | None:
    """The width in COLUMNS; None if it is unset or invalid."""
    text = os.environ.get("COLUMNS", "")
    width = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return width if width >= LEAST_WIDTH else None


def _terminal_width(descriptor: int) -> int:
    try:
        width = os.get_terminal_size(descriptor).columns
    except OSError:
        width = 0
    return width if width >= LEAST_WIDTH else USUAL_WIDTH


def say(text: str) -> None:
    """Print a line for people to stderr."""
    from rich.text import Text

    console(stderr=True).print(Text(text), soft_wrap=True)


def show_list(items: Sequence[T], columns: Columns[T, K], output: Format, empty: str) -> None:
    """Show a list; `empty` is printed for an empty one."""
    if output is not Format.TABLE:
        show_data(list(items), output)
    elif items:
        show(table(items, columns))
    else:
        say(empty)


def show_one(
    item: T, columns: Columns[T, K], output: Format, parts: "Sequence[tuple[str, Table | str]]" = ()
) -> None:
    """Show one item: one line per field, then its parts."""
    if output is not Format.TABLE:
        show_data(item, output)
        return
    from rich.table import Table
    from rich.text import Text

    show(lines(item, columns))
    for title, part in parts:
        show("", Text(title, style="bold"), part if isinstance(part, Table) else Text(part))


def lines(item: T, columns: Columns[T, K]) -> "Table":
    """One line per field."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for column in columns:
        grid.add_row(column.title.lower(), Text(column.of(item)))
    return grid


def show(*things: "RenderableType") -> None:
    """Print for people; without a terminal, spaces at the ends of lines are removed."""
    printer = console()
    if printer.is_terminal:
        printer.print(*things, sep="\n", crop=False)
        return
    with printer.capture() as captured:
        printer.print(*things, sep="\n", crop=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def show_text(*paragraphs: str) -> None:
    """Print sentences, wrapped between words."""
    from rich.text import Text

    show(*(Text(paragraph) for paragraph in paragraphs))


def show_data(value: Any, output: Format) -> None:
    """Print an API answer for programs, with times in ISO 8601 and UTC."""
    write_data(with_iso_times(value), output)


def write_data(value: Any, output: Format) -> None:
    """Print a document unchanged, for programs."""
    if output is Format.YAML:
        import yaml

        sys.stdout.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    else:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def with_iso_times(value: Any) -> Any:
    """Convert seconds since the epoch to `2026-11-28T17:28:57.012Z` in a document."""
    if isinstance(value, Mapping):
        return {
            name: iso_time(part) if _is_time(name, part) else with_iso_times(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [with_iso_times(part) for part in value]
    return value


def _is_time(name: object, value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and _TIME_FIELD.fullmatch(str(name)) is not None


def iso_time(seconds: float) -> str:
    """`2026-11-28T17:28:57.012Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_done(text: str, item: Mapping[str, Any], output: Format) -> None:
    """Print a completed action: a line for people, the document for programs."""
    if output is Format.TABLE:
        from rich.text import Text

        console().print(Text(text), soft_wrap=True)
    else:
        show_data(item, output)


def table(items: Sequence[T], columns: Columns[T, K], *, wide: bool = False) -> "Table":
    """Make a table with titles and without lines; `wide`: with all columns, whatever the terminal's width."""
    from hostloom.cli.layout import lay_out

    return lay_out(items, columns, None if wide else console().width)


def when(seconds: float | None) -> str:
    """Format a time in UTC."""
    if seconds is None:
        return "never"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def size(count: int) -> str:
    """Format bytes with decimal units, like the sizes of disks."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= factor:
            return f"{count / factor:.4g} {unit}"
    return f"{count} B"


def memory(mib: int) -> str:
    """Format a number of MiB."""
    return f"{mib / 1024:g} GiB" if mib >= 1024 and mib % 256 == 0 else f"{mib} MiB"
