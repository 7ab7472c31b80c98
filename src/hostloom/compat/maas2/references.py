"""References to records in requests: ids, names, and the id 0 for MAAS's default records."""

from typing import Any

from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field
from hostloom.model.errors.resources import NotFound
from hostloom.ports.repositories import Repository
from hostloom.services.naming import find_by_key

#: The id of MAAS's default fabric, space, resource pool and domain.
FIRST = "0"


def key_of(records: Repository[Any, Any], key: str) -> str:
    """Return the key for a service. 0 means the oldest record, because no record has that id."""
    if key.strip() != FIRST:
        return key.strip()
    oldest = records.list(limit=1)
    return str(oldest[0].id) if oldest else FIRST


def optional_key(form: Form, field: str, records: Repository[Any, Any]) -> str | None:
    """Return the key in a field; None for an absent or empty field. Raises 400 for an unknown record."""
    value = form.text(field)
    return existing_key(field, value, records) if value and value.strip() else None


def existing_key(field: str, value: str, records: Repository[Any, Any]) -> str:
    """Return the key in the value of a field. Raises 400 for an unknown record."""
    key = key_of(records, value)
    try:
        find_by_key(records, field, key)
    except NotFound:
        message = f"Select a valid choice: {value[:60]!r} is not one of the existing ones."
        raise bad_field(field, message) from None
    return key
