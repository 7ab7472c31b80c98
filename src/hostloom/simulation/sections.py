"""Reading of plain data with known keys. Errors contain the path to the mistake."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address
from math import isfinite
from typing import Any, TypeVar
from zlib import crc32

from hostloom.model.decimals import exact
from hostloom.model.network import Address

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

Path = tuple[str | int, ...]

#: The upper limit for counts, sizes and speeds.
MOST = 10**12
_KINDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
}


class WorldError(Exception):
    """A mistake in a world file, at `path`."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def group_id(name: str) -> int:
    """Derive the id of a zone or resource pool from its name in a world file."""
    if name == "default":
        return 1
    return int(name) if name.isascii() and name.isdigit() and len(name) <= 10 else crc32(name.encode())


class Section:
    """A mapping in the file. The caller reads the keys; `finish` rejects unread ones."""

    def __init__(self, data: object, path: Path) -> None:
        if not isinstance(data, Mapping):
            raise WorldError(path, f"expected a mapping, found {show(data)}")
        self._data, self.path = data, path
        self._taken: dict[str, None] = {}

    def take(self, key: str, kind: type[T], default: T) -> T:
        """Return the value; the default for null and for an absent key."""
        value = self._get(key)
        return default if value is None else self._checked(key, value, kind)

    def need(self, key: str, kind: type[T]) -> T:
        """Return the value of a required key."""
        value = self._get(key)
        if value is None:
            raise WorldError(self.path, f"the key {key!r} is missing")
        return self._checked(key, value, kind)

    def find(self, key: str, kind: type[T]) -> T | None:
        """Return the value; None for null and for an absent key."""
        value = self._get(key)
        return None if value is None else self._checked(key, value, kind)

    def name(self, names: set[str], plural: str, key: str = "name") -> str:
        """Return a required name that is not in `names`, and add it."""
        text = self.need(key, str)
        if text in names:
            raise self.error(key, f"{key}: there are two {plural} {text!r}")
        names.add(text)
        return text

    def number(self, key: str, default: int, low: int = 0, high: int = MOST) -> int:
        """Return an integer within bounds."""
        value = self.take(key, int, default)
        if not low <= value <= high:
            raise self.error(key, f"{key}: expected {low} to {high}, found {value}")
        return value

    def amount(self, key: str, default: float) -> Decimal:
        """Return a non-negative number without rounding."""
        value = self.take(key, float, float(default))
        if not isfinite(value) or not 0 <= value <= MOST:
            raise self.error(key, f"{key}: expected a number from 0 to {MOST}, found {value:g}")
        return exact(value)

    def word(self, key: str, choices: type[E]) -> E | None:
        """Return a member of an enum; None for null and for an absent key."""
        text = self.find(key, str)
        return None if text is None else self.among(key, text, choices)

    def among(self, key: str, text: object, choices: type[E]) -> E:
        """Convert a text to a member of an enum."""
        try:
            return choices(text)  # type: ignore[arg-type]  # every other value raises ValueError
        except ValueError:
            raise self.error(key, f"{key}: {text!r} is not one of {', '.join(choices)}") from None

    def parsed(self, key: str, parse: Callable[[str], T]) -> T:
        """Parse a required text with a function that raises ValueError."""
        text = self.need(key, str)
        try:
            return parse(text)
        except ValueError as error:
            raise self.error(key, f"{key}: {error}") from None

    def addresses(self, key: str) -> list[Address]:
        """Return a list of addresses, without their prefix lengths; empty for an absent key."""
        addresses = []
        for index, text in enumerate(self.strings(key)):
            try:
                addresses.append(ip_address(text.partition("/")[0]))
            except ValueError as error:
                raise WorldError((*self.path, key, index), f"{key}: {error}") from None
        return addresses

    def names(self) -> list[str]:
        """Return all keys, which must be texts."""
        for key in self._data:
            if not isinstance(key, str):
                raise self.error(key, f"expected a name, found {show(key)}")
        return list(self._data)

    def has(self, key: str) -> bool:
        """Whether the key is present, even with null."""
        return key in self._data

    def raw(self, key: str) -> Any:
        """Return the value without a check."""
        return self._get(key)

    def inner(self, key: str) -> "Section":
        """Return a mapping; an empty one for an absent key."""
        value = self._get(key)
        return Section({} if value is None else value, (*self.path, key))

    def items(self, key: str) -> "list[Section]":
        """Return a list of mappings; empty for an absent key."""
        return [
            Section(item, (*self.path, key, index)) for index, item in enumerate(self.take(key, list, []))
        ]

    def strings(self, key: str) -> list[str]:
        """Return a list of scalars as texts; empty for an absent key."""
        values = self.take(key, list, [])
        for index, value in enumerate(values):
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise WorldError((*self.path, key, index), f"{key}: expected text, found {show(value)}")
        return [str(value) for value in values]

    def error(self, key: str, message: str) -> WorldError:
        """Make an error at a key."""
        return WorldError((*self.path, key), message)

    def finish(self) -> None:
        """Raise an error for an unread key."""
        for key in self._data:
            if key not in self._taken:
                keys = ", ".join(self._taken)
                raise WorldError((*self.path, key), f"unknown key {key!r}; known here: {keys}")

    def _get(self, key: str) -> Any:
        self._taken[key] = None
        return self._data.get(key)

    def _checked(self, key: str, value: Any, kind: type[T]) -> T:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return kind(max(-MOST, min(value, 10 * MOST)))  # type: ignore[call-arg]  # float(int), no overflow
        if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
            return kind(value)  # type: ignore[call-arg]  # YAML reads a bare number as one
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, f"{key}: expected {_KINDS[kind]}, found {show(value)}")
        return value


class Numbers:
    """Assigns ids by kind: the ids in the file, else the lowest free ones."""

    def __init__(self) -> None:
        self._taken: dict[str, set[int]] = {}
        self._next: dict[str, int] = {}

    def of(self, kind: str, section: Section) -> int:
        """Assign an id. Call this first for the sections with an id."""
        used = self._taken.setdefault(kind, set())
        number = section.find("id", int)
        if number is None:
            number = self._next.get(kind, 1)
            while number in used:
                number += 1
            self._next[kind] = number + 1
        elif number in used:
            raise section.error("id", f"id: {number} is the id of another {kind}")
        used.add(number)
        return number


def show(value: object) -> str:
    """Describe a value of the wrong type."""
    if value is None:
        return "nothing"
    kind = next((text for kind, text in _KINDS.items() if type(value) is kind), type(value).__name__)
    return kind if isinstance(value, list | dict) else f"{kind}: {repr(value)[:60]}"


def by_id_first(sections: list[Section]) -> list[Section]:
    """Order sections with an id before those without one."""
    return sorted(sections, key=lambda section: not section.has("id"))
