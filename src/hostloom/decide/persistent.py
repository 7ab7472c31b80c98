"""Persistent collections: immutable; a changed collection shares unchanged parts with the old one."""

from collections.abc import Iterable, Iterator, Mapping, ValuesView
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

#: The maximum number of entries in the upper layer, which every change copies.
UPPER_SIZE = 1024
#: Bits per chunk: a /16 has 64 chunks, and one change copies 128 bytes.
CHUNK = 1024
_FULL = (1 << CHUNK) - 1


class LayeredMap(Mapping[K, V]):
    """An immutable mapping in two layers: a large one that is shared, and recent changes on top of it.

    In changes, None means a removed key; None is never a value.
    """

    __slots__ = ("_base", "_upper")

    def __init__(self, base: Mapping[K, V] | None = None, upper: Mapping[K, V | None] | None = None) -> None:
        self._base: Mapping[K, V] = {} if base is None else base
        self._upper: Mapping[K, V | None] = {} if upper is None else upper

    def changed(self, changes: Mapping[K, V] | Mapping[K, V | None]) -> "LayeredMap[K, V]":
        """The mapping with these changes. The cost depends on recent changes, not on the mapping's size."""
        if not changes:
            return self
        upper = {**self._upper, **changes}
        if len(upper) <= UPPER_SIZE:
            return LayeredMap(self._base, upper)
        return LayeredMap(_merged(self._base, upper))

    def values(self) -> ValuesView[V]:
        """All values; faster than looking up every key."""
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


class UsedNumbers:
    """An immutable set of numbers as bits; `changed` shares unchanged chunks with the old set.

    Finding the next free number takes the same time however many are used.
    """

    def __init__(self, chunks: LayeredMap[int, int] | None = None) -> None:
        self._chunks: LayeredMap[int, int] = LayeredMap() if chunks is None else chunks

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "UsedNumbers":
        """The set of these numbers."""
        chunks: dict[int, int] = {}
        for number in numbers:
            chunk, bit = divmod(number, CHUNK)
            chunks[chunk] = chunks.get(chunk, 0) | 1 << bit
        return cls(LayeredMap(chunks))

    def changed(self, states: Mapping[int, bool]) -> "UsedNumbers":
        """The set with these numbers added (True) or removed (False)."""
        chunks: dict[int, int] = {}
        for number, is_used in states.items():
            place, bit = divmod(number, CHUNK)
            rest = chunks.get(place, self._chunks.get(place, 0)) & ~(1 << bit)
            chunks[place] = rest | is_used << bit
        return UsedNumbers(self._chunks.changed(chunks))

    def __contains__(self, number: int) -> bool:
        chunk, bit = divmod(number, CHUNK)
        return bool(self._chunks.get(chunk, 0) >> bit & 1)

    def free(self, low: int, high: int) -> Iterator[int]:
        """The numbers from `low` to `high`, both included, that are not used; ascending."""
        for chunk in range(low // CHUNK, high // CHUNK + 1):
            base = chunk * CHUNK
            first, last = max(low - base, 0), min(high - base, CHUNK - 1)
            free = ~self._chunks.get(chunk, 0) & _FULL >> (CHUNK - 1 - last) & _FULL << first
            while free:
                bit = free & -free
                yield base + bit.bit_length() - 1
                free ^= bit
