"""Finds a file in a list of SHA-256 checksums, as distributions publish them; pure.

GNU: `HASH  NAME` or `HASH *NAME`. BSD: `SHA256 (NAME) = HASH`. Other lines are skipped.
"""

import re

from hostloom.model.errors.outside import DiskImageFailed

_GNU = re.compile(r"\\?([0-9a-fA-F]{64}) [ *](.+)")
_BSD = re.compile(r"SHA256 \((.+)\) = ([0-9a-fA-F]{64})")
#: Lists with more lines are refused.
MAX_LINES = 100_000


def find_checksum(text: str, file_name: str, where: str) -> str:
    """The SHA-256 of a file; DiskImageFailed if the list has none or two different ones for it."""
    sums = {checksum for name, checksum in _entries(text) if name.removeprefix("./") == file_name}
    if len(sums) == 1:
        return sums.pop()
    problem = "has several different SHA-256 sums" if sums else "has no line with a SHA-256"
    raise DiskImageFailed(file_name, f"{where} {problem} for this file name")


def _entries(text: str) -> list[tuple[str, str]]:
    """(Name, checksum) of each line."""
    entries = []
    for line in text.splitlines()[:MAX_LINES]:
        if match := _GNU.fullmatch(line.strip()):
            entries.append((match[2].strip(), match[1].lower()))
        elif match := _BSD.fullmatch(line.strip()):
            entries.append((match[1], match[2].lower()))
    return entries
