"""Reconcilers: repeated work of a server, and how the last run of each went."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reconciler:
    """One reconciler of one server; times in seconds since the epoch, None before the first run."""

    name: str
    #: The pause between the end of one run and the start of the next.
    every_s: float
    started_at: float | None = None
    #: How long the last run took; None while the first one is under way.
    duration_s: float | None = None
    #: Runs that ended, and how many of the latest ones failed in a row.
    runs: int = 0
    failures: int = 0
    #: Why the last run failed; empty after a run that succeeded.
    error: str = ""
