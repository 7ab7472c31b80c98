"""Documents of network boot and of commissioning results."""

from typing import Self

from hostloom.api.forms import In, Out, like
from hostloom.decide.explain.boot import render_boot, render_difference_found
from hostloom.decide.machines.boot import BootReason, decide_boot
from hostloom.decide.machines.commissioning import CommissioningDifference
from hostloom.model.commissioning import (
    BootAction,
    DhcpFacts,
    FoundDisk,
    FoundHardware,
    FoundNic,
    LldpNeighbour,
)
from hostloom.model.machine import Machine
from hostloom.services.commissioning import Found, NextBoot


class NextBootIn(In):
    """A machine's next network boot; `default`: depends on its state, `rescue`: once."""

    next: NextBoot


class NetworkBootOut(Out):
    """A machine's current network boot, with the reason; `asked`: requested by a user."""

    action: BootAction
    reason: BootReason
    asked: BootAction | None
    text: str

    @classmethod
    def of(cls, item: Machine, *, commissioned: bool) -> Self:
        """Of the model."""
        boot_decision = decide_boot(item, commissioned=commissioned)
        return cls(
            action=boot_decision.action,
            reason=boot_decision.reason,
            asked=item.next_boot,
            text=render_boot(boot_decision),
        )


@like(FoundDisk)
class FoundDiskOut(Out):
    """A reported disk; size in bytes."""


@like(DhcpFacts)
class DhcpFactsOut(Out):
    """The DHCP configuration of a NIC."""


@like(LldpNeighbour)
class NeighbourOut(Out):
    """The switch port behind a NIC, according to LLDP."""


@like(FoundNic)
class FoundNicOut(Out):
    """A reported NIC; `link_speed` in Mbit/s, 0 if unknown."""

    dhcp: DhcpFactsOut | None
    neighbour: NeighbourOut | None


@like(CommissioningDifference)
class DifferenceOut(Out):
    """A difference between a machine and its record."""

    text: str

    @classmethod
    def of(cls, item: CommissioningDifference) -> Self:
        """Of the model."""
        return cls.made(item, text=render_difference_found(item))


@like(FoundHardware)
class CommissioningOut(Out):
    """A machine's hardware report, its time (seconds since the epoch), and differences from the plan."""

    at: float
    disks: list[FoundDiskOut]
    nics: list[FoundNicOut]
    differences: list[DifferenceOut]

    @classmethod
    def of(cls, item: Found) -> Self:
        """Of the model."""
        return cls.made(
            item.commissioning.hardware,
            at=item.commissioning.at,
            differences=[DifferenceOut.of(difference) for difference in item.differences],
        )
