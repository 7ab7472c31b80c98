"""How things are named: what a name may be, and finding a thing by its name or id."""

from typing import Any, Protocol, TypeVar

from hostloom.model.errors import InvalidValue, NotFound, StaleGeneration
from hostloom.ports import Repository

MAX_NAME = 255


class _Named(Protocol):
    @property
    def generation(self) -> int: ...


T = TypeVar("T", bound=_Named)


def check_name(name: str, field: str = "name") -> str:
    """Return a name that can stand in a path and beside ids, else raise InvalidValue."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise InvalidValue(
            field,
            name,
            "is not a name",
            f"use 1 to {MAX_NAME} printable characters, with no space at either end",
        )
    if name.isdigit():
        raise InvalidValue(field, name, "would be taken for an id", "use a name that is not a number")
    if "/" in name or not name.strip("."):
        raise InvalidValue(field, name, "contains a slash or consists of dots", "choose another name")
    return name


def is_id(key: str) -> bool:
    """Whether a key is a number of a size that an id can have."""
    return key.isascii() and key.isdigit() and len(key) <= 9


def find_by_key(repository: Repository[T, Any], kind: str, key: str) -> T:
    """By id if the key is a number, else by name; NotFound says what the caller asked for."""
    if is_id(key):
        return repository.get(int(key))
    found = repository.find(key)
    if found is None:
        raise NotFound(kind, key)
    return found


def check_generation(kind: str, key: object, item: _Named, wanted: int | None) -> None:
    """Raise StaleGeneration if the caller has seen another generation than the stored one."""
    if wanted is not None and wanted != item.generation:
        raise StaleGeneration(kind, key, wanted, item.generation)
