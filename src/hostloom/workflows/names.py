"""Names that nothing else has."""

import re

from hostloom.ports import UnitOfWork

_OTHER = re.compile(r"[^a-z0-9]+")


def free_hostname(uow: UnitOfWork, wanted: str) -> str:
    """A DNS label made of `wanted`, with a number behind it if a node has it already."""
    label = _OTHER.sub("-", wanted.split(".")[0].lower() if "." in wanted else wanted.lower()).strip("-")
    label = label[:58].rstrip("-") or "machine"
    candidate, number = label, 1
    # Names that differ in case alone are one name to DNS.
    taken = {node.hostname.lower() for node in uow.snapshot().nodes}
    while candidate in taken:
        number += 1
        candidate = f"{label}-{number}"
    return candidate
