"""Reading of columns in the text format of PostgreSQL's COPY."""

import json
from collections.abc import Iterable, Mapping
from ipaddress import ip_interface
from typing import Any

from hostloom.model.network import Address

#: The text of each column by name; None for null.
Row = Mapping[str, str | None]


def key_of(row: Row) -> int:
    """Return the id of a row."""
    return int(text_of(row, "id"))


def named(row: Row) -> tuple[str, str]:
    """Return the name and the description."""
    return text_of(row, "name"), row.get("description") or ""


def text_of(row: Row, name: str) -> str:
    """Return a text. Raises KeyError for null and for a missing column."""
    value = row[name]
    if value is None:
        raise KeyError(name)
    return value


def number_of(row: Row, name: str) -> int:
    """Return a number; 0 for null and for a missing column."""
    return int(row.get(name) or 0)


def optional_of(row: Row, name: str) -> int | None:
    """Return a number; None for null and for a missing column."""
    value = row.get(name)
    return None if value is None else int(value)


def flag_of(row: Row, name: str) -> bool:
    """Return a Boolean; True for a missing column, because older versions behaved so."""
    return row.get(name, "t") == "t"


def ip_of(text: str) -> Address:
    """Parse PostgreSQL's `inet`, which may have a prefix length."""
    return ip_interface(text).ip


def document_of(row: Row, name: str) -> dict[str, Any]:
    """Parse a JSON object. Older versions of MAAS have an empty text."""
    document = json.loads(row.get(name) or "{}")
    return document if isinstance(document, dict) else {}


def list_of(row: Row, name: str) -> Iterable[str]:
    """Parse PostgreSQL's array of texts, such as `{a,"b c"}`."""
    text = row.get(name) or "{}"
    items, item, in_quotes, had_quotes = [], "", False, False
    characters = iter(text[1:-1])
    for character in characters:
        if character == "\\":
            item += next(characters, "")
        elif character == '"':
            in_quotes, had_quotes = not in_quotes, True
        elif character == "," and not in_quotes:
            items.append(item)
            item, had_quotes = "", False
        else:
            item += character
    return [*items, item] if item or had_quotes else items
