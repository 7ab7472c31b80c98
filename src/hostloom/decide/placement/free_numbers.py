"""Which addresses of a subnet are free, as numbers: the spans that may be given, and the numbers in use."""

from collections.abc import Iterable, Iterator, Mapping

from hostloom.decide.layered_map import LayeredMap
from hostloom.model.network import IPRange, RangeKind, Subnet, usable_span

Span = tuple[int, int]

#: Bits per chunk: a /16 has 64 chunks, and one change copies 128 bytes.
CHUNK = 1024
_FULL = (1 << CHUNK) - 1


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


def spans_of(subnet: Subnet, ranges: tuple[IPRange, ...]) -> tuple[Span, ...]:
    """Spans from which addresses are given, ascending; they still contain used ones and the gateway."""
    low, high = usable_span(subnet.cidr)
    reserved = _merged(ranges, RangeKind.RESERVED)
    dynamic = _merged(ranges, RangeKind.DYNAMIC)
    spans = [(low, high)]
    if not subnet.managed:
        spans = [(max(a, low), min(b, high)) for a, b in reserved if max(a, low) <= min(b, high)]
        return tuple(_without(spans, dynamic))
    return tuple(_without(_without(spans, reserved), dynamic))


def _merged(ranges: tuple[IPRange, ...], kind: RangeKind) -> list[Span]:
    spans: list[Span] = []
    for ip_range in sorted((r for r in ranges if r.kind is kind), key=lambda r: int(r.start)):
        start, end = int(ip_range.start), int(ip_range.end)
        if spans and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _without(spans: list[Span], holes: list[Span]) -> list[Span]:
    for low, high in holes:
        cut: list[Span] = []
        for a, b in spans:
            if high < a or b < low:
                cut.append((a, b))
                continue
            if a < low:
                cut.append((a, low - 1))
            if high < b:
                cut.append((high + 1, b))
        spans = cut
    return spans
