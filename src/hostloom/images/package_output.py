"""Parses the output of apt and ldd; pure."""

import re

from hostloom.model.errors.outside import ImageFailed

_KERNEL = ("linux-image-", "linux-modules-")
_URI = re.compile(r"^'[^']*' (\S+\.deb) \d+", re.MULTILINE)
_LIBRARY = re.compile(r"(?:=>\s+)?(/\S+) \(0x[0-9a-f]+\)")


def depended(text: str) -> list[str]:
    """The kernel packages in the output of `apt-cache depends`; the first of alternatives."""
    names = []
    for line in text.splitlines():
        kind, _, name = line.strip().partition(": ")
        # "|Depends" is followed by its alternatives.
        if kind.removeprefix("|") == "Depends" and name.startswith(_KERNEL):
            names.append(name)
    return names


def download_name(text: str) -> str:
    """The file name in the output of `apt-get download --print-uris`, with the version."""
    match = _URI.search(text)
    if match is None:
        raise ImageFailed("apt-get download --print-uris", "it names no package; run `apt-get update`")
    return match[1]


def libraries(text: str) -> list[str]:
    """The library files in the output of `ldd`, including the loader."""
    return _LIBRARY.findall(text)
