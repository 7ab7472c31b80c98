"""Creates unique names."""

import re
from collections.abc import Collection

from hostloom.decide.snapshot import Snapshot
from hostloom.ports.store import UnitOfWork

_OTHER = re.compile(r"[^a-z0-9]+")


def free_hostname(uow: UnitOfWork, hostname: str) -> str:
    """A DNS label derived from `wanted`, with a number appended if a node already has that name."""
    return unused_hostname(hostnames(uow.snapshot()), hostname)


def hostnames(snapshot: Snapshot) -> set[str]:
    """The names of all nodes in lower case, because DNS ignores case."""
    return {node.hostname.lower() for node in snapshot.nodes}


def unused_hostname(used_hostnames: Collection[str], hostname: str) -> str:
    """A DNS label derived from `wanted`, with a number appended if the name is taken."""
    label = _OTHER.sub("-", hostname.split(".")[0].lower() if "." in hostname else hostname.lower()).strip(
        "-"
    )
    label = label[:58].rstrip("-") or "machine"
    candidate, number = label, 1
    while candidate in used_hostnames:
        number += 1
        candidate = f"{label}-{number}"
    return candidate
