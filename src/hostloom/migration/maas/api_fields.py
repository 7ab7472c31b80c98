"""Fields in the JSON documents of MAAS's API."""

from typing import Any

Body = dict[str, Any]


def nested_id(body: Body, name: str) -> int:
    """Return the id of a nested document."""
    return int(body[name]["id"])


def optional_id(body: Body, name: str) -> int | None:
    """Return the id of a nested document; None if there is none."""
    nested = body.get(name)
    return int(nested["id"]) if isinstance(nested, dict) and "id" in nested else None
