"""Plain data with known keys: every mistake says where it is."""

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

#: No count, size or speed of the world is larger.
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
    """A world file's mistake; `path` leads to it, `hint` says what was expected."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def group_id(name: str) -> int:
    """The id of a zone or resource pool, of which a world file gives only names."""
    if name == "default":
        return 1
    return int(name) if name.isascii() and name.isdigit() and len(name) <= 10 else crc32(name.encode())


class Section:
    """One mapping of the file: keys are taken out one by one, and none may be left over."""

    def __init__(self, data: object, path: Path) -> None:
        if not isinstance(data, Mapping):
            raise WorldError(path, f"expected a mapping, found {show(data)}")
        self._data, self.path = data, path
        self._taken: dict[str, None] = {}

    def take(self, key: str, kind: type[T], default: T) -> T:
        """The value, or the default if the key is absent; null counts as absent."""
        value = self._get(key)
        return default if value is None else self._checked(key, value, kind)

    def need(self, key: str, kind: type[T]) -> T:
        """The value of a key that must be there."""
        value = self._get(key)
        if value is None:
            raise WorldError(self.path, f"the key {key!r} is missing")
        return self._checked(key, value, kind)

    def find(self, key: str, kind: type[T]) -> T | None:
        """The value, or None."""
        value = self._get(key)
        return None if value is None else self._checked(key, value, kind)

    def name(self, taken: set[str], what: str, key: str = "name") -> str:
        """A text that must be there, and that no other has; it counts as taken from now on."""
        text = self.need(key, str)
        if text in taken:
            raise self.error(key, f"{key}: there are two {what} {text!r}")
        taken.add(text)
        return text

    def number(self, key: str, default: int, low: int = 0, high: int = MOST) -> int:
        """A whole number within bounds."""
        value = self.take(key, int, default)
        if not low <= value <= high:
            raise self.error(key, f"{key}: expected {low} to {high}, found {value}")
        return value

    def amount(self, key: str, default: float) -> Decimal:
        """A number that is not negative, exactly as it is written."""
        value = self.take(key, float, float(default))
        if not isfinite(value) or not 0 <= value <= MOST:
            raise self.error(key, f"{key}: expected a number from 0 to {MOST}, found {value:g}")
        return exact(value)

    def word(self, key: str, words: type[E]) -> E | None:
        """One of an enum's words; null or absent is None."""
        text = self.find(key, str)
        return None if text is None else self.among(key, text, words)

    def among(self, key: str, text: object, words: type[E]) -> E:
        """The enum's word that the text is."""
        try:
            return words(text)  # type: ignore[arg-type]  # whatever it is no word, it is a ValueError
        except ValueError:
            raise self.error(key, f"{key}: {text!r} is not one of {', '.join(words)}") from None

    def parsed(self, key: str, parse: Callable[[str], T]) -> T:
        """A text that must be there, parsed by what raises ValueError."""
        text = self.need(key, str)
        try:
            return parse(text)
        except ValueError as error:
            raise self.error(key, f"{key}: {error}") from None

    def addresses(self, key: str) -> list[Address]:
        """A list of addresses, with or without prefix lengths; absent is empty."""
        addresses = []
        for at, text in enumerate(self.strings(key)):
            try:
                addresses.append(ip_address(text.partition("/")[0]))
            except ValueError as error:
                raise WorldError((*self.path, key, at), f"{key}: {error}") from None
        return addresses

    def names(self) -> list[str]:
        """Every key, where they are names that the file gives."""
        for key in self._data:
            if not isinstance(key, str):
                raise self.error(key, f"expected a name, found {show(key)}")
        return list(self._data)

    def has(self, key: str) -> bool:
        """Whether the key is there, be it null."""
        return key in self._data

    def raw(self, key: str) -> Any:
        """The value as it is."""
        return self._get(key)

    def inner(self, key: str) -> "Section":
        """A mapping; absent is empty."""
        value = self._get(key)
        return Section({} if value is None else value, (*self.path, key))

    def items(self, key: str) -> "list[Section]":
        """A list of mappings; absent is empty."""
        return [Section(each, (*self.path, key, at)) for at, each in enumerate(self.take(key, list, []))]

    def strings(self, key: str) -> list[str]:
        """A list of scalars as text; absent is empty."""
        found = self.take(key, list, [])
        for at, each in enumerate(found):
            if isinstance(each, bool) or not isinstance(each, str | int | float):
                raise WorldError((*self.path, key, at), f"{key}: expected text, found {show(each)}")
        return [str(each) for each in found]

    def error(self, key: str, message: str) -> WorldError:
        """A mistake in one key's value."""
        return WorldError((*self.path, key), message)

    def finish(self) -> None:
        """Every key must have been taken."""
        for key in self._data:
            if key not in self._taken:
                known = ", ".join(self._taken)
                raise WorldError((*self.path, key), f"unknown key {key!r}; known here: {known}")

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
    """Ids by kind: those that the file gives, and the lowest free ones for what it gives none."""

    def __init__(self) -> None:
        self._taken: dict[str, set[int]] = {}
        self._next: dict[str, int] = {}

    def of(self, kind: str, section: Section) -> int:
        """The section's id; sections that give one come before those that do not."""
        taken = self._taken.setdefault(kind, set())
        number = section.find("id", int)
        if number is None:
            number = self._next.get(kind, 1)
            while number in taken:
                number += 1
            self._next[kind] = number + 1
        elif number in taken:
            raise section.error("id", f"id: {number} is the id of another {kind}")
        taken.add(number)
        return number


def show(value: object) -> str:
    """A value of the wrong kind, for people."""
    if value is None:
        return "nothing"
    kind = next((text for kind, text in _KINDS.items() if type(value) is kind), type(value).__name__)
    return kind if isinstance(value, list | dict) else f"{kind}: {repr(value)[:60]}"


def by_id_first(sections: list[Section]) -> list[Section]:
    """Those that give their ids before those that get one."""
    return sorted(sections, key=lambda section: not section.has("id"))
