"""Reads a machine's state until it is as requested, because some BMCs answer OK and do nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from hostloom.model.errors.outside import PowerUnconfirmed
from hostloom.model.machine import PowerState


@dataclass(frozen=True)
class PowerLimits:
    """How long the power of a machine may take."""

    #: Deadline of one command or request.
    call_s: float = 20.0
    #: Time in which the state must follow a command.
    settle_s: float = 60.0
    #: Pause between two readings.
    poll_s: float = 0.5


def confirm_power(
    address: str, action: str, wanted: PowerState, read: Callable[[], PowerState], limits: PowerLimits
) -> PowerState:
    """Read until the state is as wanted; PowerUnconfirmed after `settle_s`."""
    deadline = time.monotonic() + limits.settle_s
    while (state := read()) is not wanted:
        if time.monotonic() >= deadline:
            raise PowerUnconfirmed(address, action, f"power {wanted}", f"power {state}", limits.settle_s)
        time.sleep(limits.poll_s)
    return state


def confirm_boot(address: str, action: str, wanted: str, observed: str) -> None:
    """Compare the boot device that the BMC reports with the requested one; PowerUnconfirmed."""
    if observed != wanted:
        raise PowerUnconfirmed(address, action, f"boot device {wanted}", f"boot device {observed}", 0)
