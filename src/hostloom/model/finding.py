"""Parts of a host that could not be read, and the boundary that turns parsing errors into them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from hostloom.model.errors.values import InvalidValue

#: More findings than these on one host are counted, not listed.
MAX_FINDINGS = 100
#: Characters of a name in a finding, and of its other texts.
PART_LENGTH, TEXT_LENGTH = 100, 200
#: The exceptions of code that parses text. Connection errors are not among them.
PARSE_ERRORS = (
    ArithmeticError,
    AttributeError,
    InvalidValue,
    LookupError,
    ParseError,
    RecursionError,
    TypeError,
    ValueError,
)


def printable(value: object, length: int = TEXT_LENGTH) -> str:
    """The value as one line of bounded length; characters that a terminal could act on are escaped."""
    text = str(value)[: length + 1]
    line = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return line if len(line) <= length else f"{line[: length - 1]}…"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of a host that could not be read as expected; the rest of the host was read."""

    #: `link eth0`, `IPv4 routes`, `machine web1`, `storage pool nas`.
    part: str
    #: What a readable part looks like: `a number of CPUs`.
    expected: str
    #: The actual value, or the text of the error.
    found: str

    @classmethod
    def of(cls, part: object, expected: object, found: object) -> "Finding":
        """A finding with shortened, printable texts, because they come from the host."""
        return cls(printable(part, PART_LENGTH), printable(expected), printable(found))

    def __str__(self) -> str:
        return f"{self.part}: expected {self.expected}, found {self.found}"


class Findings:
    """Collects what cannot be read while a host is read."""

    def __init__(self) -> None:
        self._by_part: dict[str, Finding] = {}
        self._left_out = 0

    def add(self, part: object, expected: object, found: object) -> None:
        """Record a part that cannot be read; only the first finding about a part counts."""
        finding = Finding.of(part, expected, found)
        if finding.part in self._by_part:
            return
        if len(self._by_part) < MAX_FINDINGS:
            self._by_part[finding.part] = finding
        else:
            self._left_out += 1

    @contextmanager
    def reading(self, part: object, expected: object) -> Iterator[None]:
        """The boundary: a parsing error in the block becomes a finding, and the block is left."""
        try:
            yield
        except PARSE_ERRORS as error:
            self.add(part, expected, in_words(error))

    def all(self) -> tuple[Finding, ...]:
        """What was found, in order."""
        findings = tuple(self._by_part.values())
        if self._left_out:
            more = Finding.of("more parts", "to be read", f"{self._left_out} more that cannot be read")
            findings = (*findings, more)
        return findings


def merge(*groups: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of several readings, one for each part."""
    findings = {finding.part: finding for group in groups for finding in group}
    return tuple(findings.values())


def in_words(error: BaseException) -> str:
    """A parsing error as text for users, without the name of the exception if its message is enough."""
    match error:
        case InvalidValue():
            return f"{error.field} {error.value!r}, which {error.problem}"
        case RecursionError():
            return "a text that is nested too deeply"
        case ParseError():
            return f"a text that is no XML ({error})"
        case KeyError():
            return f"nothing under {error}"
        case _:
            return str(error) or type(error).__name__
