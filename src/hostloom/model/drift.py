"""Drift: a difference between what is recorded and what a reading found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference; `recorded` or `observed` is empty for what appeared or vanished."""

    #: What changed: `interface-appeared`, `pool-vanished`, `machine-memory`, ...
    kind: str
    #: The interface, pool, NIC or disk that changed.
    subject: str
    recorded: str
    observed: str
