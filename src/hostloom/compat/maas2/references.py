"""How clients name our things: by id or name, and MAAS's first ones by the id 0."""

from typing import Any

from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field
from hostloom.model.errors.resources import NotFound
from hostloom.ports.repositories import Repository
from hostloom.services.naming import find_by_key

#: MAAS counts its defaults from 0: fabric, space, resource pool and domain.
FIRST = "0"


def key_of(things: Repository[Any, Any], key: str) -> str:
    """The key by which a service finds it: 0 is the oldest where none has that id."""
    if key.strip() != FIRST:
        return key.strip()
    oldest = things.list(limit=1)
    return str(oldest[0].id) if oldest else FIRST


def chosen(form: Form, field: str, things: Repository[Any, Any]) -> str | None:
    """The key of a field that names one of these; None when absent or empty, 400 for one that nothing has."""
    wanted = form.text(field)
    return known(field, wanted, things) if wanted and wanted.strip() else None


def known(field: str, wanted: str, things: Repository[Any, Any]) -> str:
    """The key of a value of a field; 400 for one that nothing has."""
    key = key_of(things, wanted)
    try:
        find_by_key(things, field, key)
    except NotFound:
        message = f"Select a valid choice: {wanted[:60]!r} is not one of the existing ones."
        raise bad_field(field, message) from None
    return key
