"""Storage constraints of MAAS's clients, one of which uses the same label for every disk."""

import re

#: One disk, up to its final comma. Commas within parentheses separate pools and tags.
_DISK = re.compile(r"[^,()]*(?:\([^()]*\))?[^,()]*")


def with_own_labels(text: str) -> str:
    """Drop repeated labels, so that hostloom generates unique ones. Malformed text stays as it is."""
    if ",".join(_DISK.findall(text)[::2]) != text:
        return text
    labels: set[str] = set()
    disks = []
    for disk in _DISK.findall(text)[::2]:
        label, colon, constraint = disk.partition(":")
        is_repeated = colon and label.strip() in labels
        labels.add(label.strip())
        disks.append(constraint if is_repeated else disk)
    return ",".join(disks)
