"""Columns of a dump's rows: text, as COPY writes it, and what it means."""

import json
from collections.abc import Iterable, Mapping
from ipaddress import ip_interface
from typing import Any

from hostloom.model.network import Address

#: Text of each column, by its name; null is None.
Row = Mapping[str, str | None]


def key_of(row: Row) -> int:
    """The row's id."""
    return int(text_of(row, "id"))


def named(row: Row) -> tuple[str, str]:
    """Name and description."""
    return text_of(row, "name"), row.get("description") or ""


def text_of(row: Row, name: str) -> str:
    """KeyError where it is null, or there is no such column."""
    found = row[name]
    if found is None:
        raise KeyError(name)
    return found


def number_of(row: Row, name: str) -> int:
    """0 where there is none."""
    return int(row.get(name) or 0)


def optional_of(row: Row, name: str) -> int | None:
    """A number, or none."""
    found = row.get(name)
    return None if found is None else int(found)


def flag_of(row: Row, name: str) -> bool:
    """True where a version has no such column: it was always so then."""
    return row.get(name, "t") == "t"


def ip_of(text: str) -> Address:
    """PostgreSQL's inet, which may have a prefix length."""
    return ip_interface(text).ip


def document_of(row: Row, name: str) -> dict[str, Any]:
    """JSON, as a column of that type or as text; older versions left an empty text."""
    found = json.loads(row.get(name) or "{}")
    return found if isinstance(found, dict) else {}


def list_of(row: Row, name: str) -> Iterable[str]:
    """PostgreSQL's array of texts, as in `{a,"b c"}`."""
    text = row.get(name) or "{}"
    found, word, quoted, was_quoted = [], "", False, False
    signs = iter(text[1:-1])
    for sign in signs:
        if sign == "\\":
            word += next(signs, "")
        elif sign == '"':
            quoted, was_quoted = not quoted, True
        elif sign == "," and not quoted:
            found.append(word)
            word, was_quoted = "", False
        else:
            word += sign
    return [*found, word] if word or was_quoted else found
