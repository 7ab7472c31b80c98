"""Storage constraints as MAAS's clients write them: one of them calls every disk by one label."""

import re

#: A disk up to the comma that ends it; commas within brackets part pools and tags.
_DISK = re.compile(r"[^,()]*(?:\([^()]*\))?[^,()]*")


def with_own_labels(text: str) -> str:
    """The same disks; a label that an earlier one has is left out, which makes one up. Mistakes stay."""
    if ",".join(_DISK.findall(text)[::2]) != text:
        return text
    seen: set[str] = set()
    disks = []
    for disk in _DISK.findall(text)[::2]:
        label, colon, rest = disk.partition(":")
        known = colon and label.strip() in seen
        seen.add(label.strip())
        disks.append(rest if known else disk)
    return ",".join(disks)
