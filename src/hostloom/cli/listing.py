"""The common options of lists: rows, columns, order and format."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import wraps
from typing import Annotated, Any, Generic, get_type_hints

import typer

from hostloom.cli.columns import Column, Columns, K, T, cell
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.output import Format, say, show, show_data, table

#: The server's limit for a list.
MOST_ROWS = 1_000_000
Limit = Annotated[
    int,
    typer.Option(
        "--limit", min=1, max=MOST_ROWS, help="Maximum number of rows, newest first.", show_default=True
    ),
]
_FILTER = re.compile(r"([^=!]+)(!?=)(.*)", re.DOTALL)


class ListFormat(StrEnum):
    """How to show a list."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True)
class Listing(Generic[T, K]):
    """The description of a list: its columns, and the column with the name."""

    columns: Columns[T, K]
    #: Advice for an empty list.
    empty: str
    #: The title of the column with the name, by which rows are sorted.
    by: str
    #: Columns that only --columns and --filter can use.
    more: Columns[T, K] = ()
    #: Whether to keep the API's order, newest first.
    is_ordered: bool = False
    #: The meaning of an empty list, by option.
    empty_with: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str, option: str) -> Column[T, K]:
        """The column with this title or field; a usage error for any other name."""
        column_name = name.strip().lower().replace("_", "-")
        for column in (*self.columns, *self.more):
            written = column.value if isinstance(column.value, str) else ""
            if column_name in {
                column.name,
                *(text.replace("_", "-") for text in (column.field, written) if text),
            }:
                return column
        names = ", ".join(dict.fromkeys(column.name for column in (*self.columns, *self.more)))
        raise fail(f"{option}: there is no column {name!r}", f"available columns: {names}", Exit.USAGE)


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """The options."""

    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="A,B", help="Show these columns; -o wide shows all columns."),
    ] = None
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort", metavar="COLUMN", help="Sort by this column; -COLUMN sorts in descending order."
        ),
    ] = None
    filter_: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="COLUMN=VALUE",
            help="Show only rows with this value; * and ? match any text, != excludes a value. "
            "May be repeated; rows must meet all filters.",
        ),
    ] = None
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the names, one per line.")] = False
    output: Annotated[
        ListFormat,
        typer.Option(
            "-o", "--output", metavar="FORMAT", help="Output format: table, wide (all columns), json or yaml."
        ),
    ] = ListFormat.TABLE


def lists(listing: Listing[T, K]) -> Callable[[Callable[..., list[T]]], Callable[..., None]]:
    """Make a command of a function that reads a list: adds the list options and shows the result."""

    def decorate(read: Callable[..., list[T]]) -> Callable[..., None]:
        options = list(inspect.signature(ListOptions).parameters.values())
        names = [option.name for option in options]

        @wraps(read)
        def run(**values: Any) -> None:
            selection = ListOptions(**{name: values.pop(name) for name in names})
            columns = [
                listing.column(name, "--columns") for name in (selection.columns or "").split(",") if name
            ]
            if selection.columns is not None and not columns:
                raise fail("--columns names no column", code=Exit.USAGE)
            choose = arrange(listing, selection)
            empty = next((text for name, text in listing.empty_with.items() if values[name]), listing.empty)
            show_listing(choose(read(**values)), replace(listing, empty=empty), selection, columns)

        parameters = [*inspect.signature(read).parameters.values(), *options]
        keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]  # what typer reads
        hints = get_type_hints(read, include_extras=True) | get_type_hints(ListOptions, include_extras=True)
        run.__annotations__ = hints | {"return": None}
        return run

    return decorate


def arrange(listing: Listing[T, K], selection: ListOptions) -> Callable[[list[T]], list[T]]:
    """Make a function that filters and sorts; invalid options are reported before anything is read."""
    tests = [_test(listing, text) for text in selection.filter_ or ()]
    sort = selection.sort if selection.sort is not None or listing.is_ordered else listing.by
    backwards = (sort or "").startswith("-")
    order = None if sort is None else listing.column(sort.removeprefix("-"), "--sort")

    def choose(items: list[T]) -> list[T]:
        rows = [item for item in items if all(test(item) for test in tests)]
        if order is not None:
            rows.sort(key=lambda item: natural(order.key(item)), reverse=backwards)
        return rows

    return choose


def _test(listing: Listing[T, K], text: str) -> Callable[[T], bool]:
    parts = _FILTER.fullmatch(text)
    if parts is None:
        raise fail(f"--filter: {text!r} is not COLUMN=VALUE", "for example state=ready", Exit.USAGE)
    column = listing.column(parts[1], "--filter")
    expected, is_not = parts[3].lower(), parts[2] == "!="

    def holds(item: T) -> bool:
        raw = [column.raw(item), column.key(item)]
        words = [cell(part) for value in raw for part in (value if isinstance(value, list) else [value])]
        words += [cell(value) for value in raw] + ([""] if cell(raw[0]) == "-" else [])
        return any(fnmatchcase(word.lower(), expected) for word in words) is not is_not

    return holds


def natural(value: Any) -> tuple[Any, ...]:
    """A sort key: `eth2` before `eth10`, numbers before texts, empty values last."""
    if value is None or value in ("", []):
        return (2,)
    if isinstance(value, int | float):
        return (0, value)
    parts = re.split(r"([0-9]+)", cell(value).casefold())
    return (1, [(number % 2, int(part) if number % 2 else part) for number, part in enumerate(parts)])


def show_listing(
    items: Sequence[T], listing: Listing[T, K], selection: ListOptions, columns: Columns[T, K] = ()
) -> None:
    """Print a list according to the options."""
    is_data = selection.output in (ListFormat.JSON, ListFormat.YAML)
    if selection.quiet:
        name = listing.column(listing.by, "--quiet")
        _show_names([name.of(item) for item in items], Format(selection.output) if is_data else None)
    elif is_data:
        rows = [{column.name: column.raw(item) for column in columns} for item in items]
        show_data(rows if columns else list(items), Format(selection.output))
    elif items:
        is_wide = selection.output is ListFormat.WIDE or bool(columns)
        show(table(items, columns or listing.columns, wide=is_wide))
    else:
        say("no row matches the filters" if selection.filter_ else listing.empty)


def _show_names(names: list[str], data_format: Format | None) -> None:
    """Print names as data, or one a line."""
    if data_format is not None:
        show_data(names, data_format)
        return
    for name in names:
        typer.echo(name)
