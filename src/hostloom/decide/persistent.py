"""A large mapping that changes a little at a time, so that a snapshot need not copy what stayed."""

from collections.abc import Iterator, Mapping, ValuesView
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

#: Changes in the upper layer before it is merged: each change copies at most so many entries.
UPPER_SIZE = 1024


class LayeredMap(Mapping[K, V]):
    """An immutable mapping in two layers: a large one that is shared, and recent changes on top of it.

    In changes, None stands for a key that is gone; None is never a value.
    """

    __slots__ = ("_base", "_upper")

    def __init__(self, base: Mapping[K, V] | None = None, upper: Mapping[K, V | None] | None = None) -> None:
        self._base: Mapping[K, V] = {} if base is None else base
        self._upper: Mapping[K, V | None] = {} if upper is None else upper

    def changed(self, changes: Mapping[K, V] | Mapping[K, V | None]) -> "LayeredMap[K, V]":
        """The mapping with these changes; it costs what changed lately, however large the mapping is."""
        if not changes:
            return self
        upper = {**self._upper, **changes}
        if len(upper) <= UPPER_SIZE:
            return LayeredMap(self._base, upper)
        return LayeredMap(_merged(self._base, upper))

    def values(self) -> ValuesView[V]:
        """All values; faster than to look up each key."""
        return _merged(self._base, self._upper).values()

    def __getitem__(self, key: K) -> V:
        if key in self._upper:
            value = self._upper[key]
            if value is None:
                raise KeyError(key)
            return value
        return self._base[key]

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._base if key not in self._upper)
        yield from (key for key, value in self._upper.items() if value is not None)

    def __len__(self) -> int:
        added = sum(value is not None and key not in self._base for key, value in self._upper.items())
        removed = sum(value is None and key in self._base for key, value in self._upper.items())
        return len(self._base) + added - removed


def _merged(base: Mapping[K, V], upper: Mapping[K, V | None]) -> dict[K, V]:
    merged = {**base, **upper}
    return {key: value for key, value in merged.items() if value is not None}
