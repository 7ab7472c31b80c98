"""Plain data with known keys: every mistake says where it is."""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

Path = tuple[str | int, ...]


class WorldError(Exception):
    """A world file's mistake; `path` leads to it, `hint` says what was expected."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class Section:
    """One mapping of the file: keys are taken out one by one, and none may be left over."""

    def __init__(self, data: object, path: Path) -> None:
        if not isinstance(data, Mapping):
            raise WorldError(path, f"expected a mapping, found {_show(data)}")
        self._data, self.path = data, path
        self._taken: set[str] = set()

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

    def has(self, key: str) -> bool:
        """Whether the key is there, be it null."""
        return key in self._data

    def raw(self, key: str) -> Any:
        """The value as it is."""
        return self._get(key)

    def items(self, key: str) -> "list[Section]":
        """A list of mappings; absent is empty."""
        return [Section(each, (*self.path, key, at)) for at, each in enumerate(self.take(key, list, []))]

    def strings(self, key: str) -> list[str]:
        """A list of scalars as text; absent is empty."""
        return [str(each) for each in self.take(key, list, [])]

    def error(self, key: str, message: str) -> WorldError:
        """A mistake in one key's value."""
        return WorldError((*self.path, key), message)

    def finish(self) -> None:
        """Every key must have been taken."""
        for key in self._data:
            if key not in self._taken:
                known = ", ".join(sorted(self._taken))
                raise WorldError((*self.path, key), f"unknown key {key!r}; known here: {known}")

    def _get(self, key: str) -> Any:
        self._taken.add(key)
        return self._data.get(key)

    def _checked(self, key: str, value: Any, kind: type[T]) -> T:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return kind(value)  # type: ignore[call-arg]  # float(int)
        if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
            return kind(value)  # type: ignore[call-arg]  # YAML reads a bare number as one
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, f"{key}: expected {kind.__name__}, found {_show(value)}")
        return value


def _show(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text[:60]}"
