"""A set of used numbers in which finding the next free one takes the same time at any fill."""

from collections.abc import Iterable, Iterator, Mapping

from hostloom.decide.layered_map import LayeredMap

#: Bits per chunk: a /16 has 64 chunks, and one change copies 128 bytes.
CHUNK = 1024
_FULL = (1 << CHUNK) - 1


class UsedNumbers:
    """An immutable set of numbers as bits; `changed` shares unchanged chunks with the old set."""

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
