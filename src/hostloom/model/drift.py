"""Drift: a difference between a record and a reading."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference; `recorded` is empty for a part that appeared, `observed` for one that vanished."""

    #: What changed: `interface-appeared`, `pool-vanished`, `machine-memory`, ...
    kind: str
    #: The interface, pool, NIC or disk that changed.
    subject: str
    recorded: str
    observed: str
