"""How clients name our things: by id or name, and MAAS's first ones by the id 0."""

from typing import Any

from hostloom.ports import Repository

#: MAAS counts its defaults from 0: fabric, space, resource pool and domain.
FIRST = "0"


def key_of(things: Repository[Any, Any], key: str) -> str:
    """The key by which a service finds it: 0 is the oldest where none has that id."""
    if key.strip() != FIRST:
        return key.strip()
    oldest = things.list(limit=1)
    return str(oldest[0].id) if oldest else FIRST
