"""The power state of a machine before a saga changes it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WasRunning:
    """Whether the machine was powered on."""

    on: bool
