"""What apt and ldd print; pure."""

import re

from hostloom.model.errors.outside import ImageFailed

_KERNEL = ("linux-image-", "linux-modules-")
_URI = re.compile(r"^'[^']*' (\S+\.deb) \d+", re.MULTILINE)
_LIBRARY = re.compile(r"(?:=>\s+)?(/\S+) \(0x[0-9a-f]+\)")


def depended(text: str) -> list[str]:
    """Of `apt-cache depends`: the kernel's packages; of alternatives the first."""
    found = []
    for line in text.splitlines():
        kind, _, name = line.strip().partition(": ")
        # "|Depends" is one that has alternatives: which follow it
        if kind.removeprefix("|") == "Depends" and name.startswith(_KERNEL):
            found.append(name)
    return found


def download_name(text: str) -> str:
    """Of `apt-get download --print-uris`: the file that it would write, with the version in its name."""
    match = _URI.search(text)
    if match is None:
        raise ImageFailed("apt-get download --print-uris", "it names no package; run `apt-get update`")
    return match[1]


def libraries(text: str) -> list[str]:
    """Of `ldd`: the files of the libraries, the loader among them."""
    return _LIBRARY.findall(text)
