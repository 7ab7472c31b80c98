"""Parses storage constraints into disks, and formats them (docs/explanation/rules.md#storage-constraints)."""

import re
from decimal import Decimal
from math import ceil

from hostloom.decide.request.constraints import check_length
from hostloom.model.decimals import decimal_text
from hostloom.model.deployment import SEED_DISK
from hostloom.model.errors.values import ConstraintError
from hostloom.model.reasons import RequestCode
from hostloom.model.request import GB, DiskRequest

FIELD = "storage"
DEFAULT = "root:8"

_DISK = re.compile(
    r"\s*(?:(?P<label>[^:,()]*?)\s*:)?\s*(?P<size>[^:,()]*?)\s*(?:(?P<open>\()(?P<words>[^()]*)(?P<close>\))?)?\s*"
)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)?")
#: Larger than any pool, and small enough for the integers of databases.
MAX_GB = 10**9
MAX_DISKS = 64


def parse(text: str) -> tuple[DiskRequest, ...]:
    """Parse a text; a blank text is one disk `root` of 8 GB. ConstraintError names the first mistake."""
    check_length(text, FIELD)
    disks: list[DiskRequest] = []
    labels: set[str] = set()
    for part, column in _split(text if text.strip() else DEFAULT):
        if len(disks) >= MAX_DISKS:
            raise _error(RequestCode.CONSTRAINT_SYNTAX, column, part[:20], f"at most {MAX_DISKS} disks")
        disks.append(_parse_disk(part, column, len(disks), labels))
        labels.add(disks[-1].label)
    return tuple(disks)


def format_storage(disks: tuple[DiskRequest, ...]) -> str:
    """Format disks as text, so that `parse(format_storage(x)) == x`."""
    return ",".join(
        f"{disk.label}:{gigabytes(disk.size_bytes)}" + (f"({','.join(disk.words)})" if disk.words else "")
        for disk in disks
    )


def gigabytes(size_bytes: int) -> str:
    """Format GB exactly, without an exponent: 8, 2.5, 0.000000001."""
    return decimal_text(Decimal(size_bytes) / GB)


def _split(text: str) -> list[tuple[str, int]]:
    """Split the text at commas outside brackets; columns count from 1."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            parts.append((text[start:index], start + 1))
            start = index + 1
    parts.append((text[start:], start + 1))
    return parts


def _parse_disk(part: str, column: int, number: int, labels: set[str]) -> DiskRequest:
    """Parse one disk from left to right; `labels` are those of previous disks."""
    match = _DISK.fullmatch(part)
    expected = "label:size(pool-or-tag,…) with the size in GB"
    if match is None or match["label"] == "":
        raise _error(RequestCode.CONSTRAINT_SYNTAX, column, part.strip(), expected)
    label, size = match["label"], match["size"]
    label = f"disk{number}" if label is None else label
    _check_label(label, column, labels)
    if not _SIZE.fullmatch(size):
        raise _error(RequestCode.CONSTRAINT_SYNTAX, column, size or part.strip(), expected)
    size_bytes = ceil(Decimal(size) * GB) if len(size) < 20 else 0
    if not 0 < size_bytes <= MAX_GB * GB:
        raise _error(RequestCode.INVALID_VALUE, column, size, f"a size in GB over 0 and up to {MAX_GB}")
    if match["open"] and not match["close"]:
        raise _error(RequestCode.CONSTRAINT_SYNTAX, column, part.strip(), expected)
    return DiskRequest(label, size_bytes, _words(match, column), column)


def _check_label(label: str, column: int, labels: set[str]) -> None:
    if not _LABEL.fullmatch(label):
        raise _error(RequestCode.INVALID_LABEL, column, label, "a label of ASCII letters, digits, - and _")
    if label == SEED_DISK:
        wanted = "another label: cloud-init's disk has this one"
        raise _error(RequestCode.INVALID_LABEL, column, label, wanted)
    if label in labels:
        raise _error(RequestCode.DUPLICATE_LABEL, column, label, "a label not used before")


def _words(match: re.Match[str], column: int) -> tuple[str, ...]:
    if not match["open"]:
        return ()
    words = tuple(word.strip() for word in match["words"].split(","))
    if not all(words):
        raise _error(RequestCode.CONSTRAINT_SYNTAX, column, f"({match['words']})", "pool names or tags")
    return words


def _error(code: RequestCode, column: int, value: str, expected: str) -> ConstraintError:
    return ConstraintError(code, FIELD, column, value, expected)


#: The disk of a request without storage constraints.
DEFAULT_DISKS = parse(DEFAULT)
