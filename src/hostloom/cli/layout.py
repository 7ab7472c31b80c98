"""Fits tables to the terminal without breaking names, addresses or MACs."""

from collections.abc import Sequence
from typing import Any, Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from hostloom.cli.columns import Column, Columns, K, T, cell

#: Spaces between columns: normally, and if space is short.
GAP, NARROW_GAP = 3, 2
#: Minimum width of a wrapped text.
LEAST_TEXT = 24


def lay_out(items: Sequence[T], columns: Columns[T, K], width: int | None) -> Table:
    """A table that fits `width` if its columns allow it; without a width all columns have full length."""
    kept = list(columns)
    cells = {column.title: [_parts(column, item) for item in items] for column in columns}
    most = {column.title: _most(column, cells[column.title]) for column in columns}
    least = {column.title: _least(column, cells[column.title]) for column in columns}
    gap = GAP
    if width is not None:
        if _total(kept, least, GAP) > width:
            gap = NARROW_GAP
        while _total(kept, least, gap) > width and any(column.rank for column in kept):
            kept.remove(max(reversed(kept), key=lambda column: column.rank))
        most = _squeeze(kept, most, least, width - gap * (len(kept) - 1))
    return _render(kept, cells, most, gap)


def _parts(column: Column[T, K], item: T) -> list[str]:
    """The unbreakable parts of a cell."""
    value = column.raw(item)
    if column.text:
        return cell(value).split()
    if isinstance(value, list) and len(value) > 1:
        return [f"{cell(part)}," for part in value[:-1]] + [cell(value[-1])]
    return [cell(value)]


def _most(column: Column[Any, Any], cells: Sequence[list[str]]) -> int:
    return max([cell_len(column.title), *(cell_len(" ".join(parts)) for parts in cells)])


def _least(column: Column[Any, Any], cells: Sequence[list[str]]) -> int:
    longest = max([cell_len(part) for parts in cells for part in parts], default=0)
    if column.text:
        longest = min(_most(column, cells), max(LEAST_TEXT, min(longest, 2 * LEAST_TEXT)))
    return max(cell_len(column.title), longest)


def _total(columns: Columns[Any, Any], widths: dict[str, int], gap: int) -> int:
    return sum(widths[column.title] for column in columns) + gap * (len(columns) - 1)


def _squeeze(
    columns: Columns[Any, Any], most: dict[str, int], least: dict[str, int], room: int
) -> dict[str, int]:
    """Shrink the widest columns first, none below its minimum."""
    widths = dict(most)
    while sum(widths[column.title] for column in columns) > room:
        giving = [column.title for column in columns if widths[column.title] > least[column.title]]
        if not giving:
            break
        widths[max(giving, key=lambda title: widths[title])] -= 1
    return widths


def _render(
    columns: Columns[Any, Any], cells: dict[str, list[list[str]]], widths: dict[str, int], gap: int
) -> Table:
    total = _total(columns, widths, gap)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0), width=total)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, width=widths[column.title], overflow="fold")
    for row in zip(*(cells[column.title] for column in columns), strict=True):
        filled = zip(columns, row, strict=True)
        table.add_row(*(Text("\n".join(_lines(parts, widths[column.title]))) for column, parts in filled))
    return table


def _lines(parts: Sequence[str], width: int) -> list[str]:
    """Fill lines with parts as far as they fit."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(lines[-1]) + 1 + cell_len(part) <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines
