"""The forms of network boot and of what commissioning found."""

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
    """What a machine boots from the network next; `default`: what its state says, `rescue`: once."""

    next: NextBoot


class NetworkBootOut(Out):
    """What a machine would boot from the network now, and why; `asked`: by a user's word."""

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
    """A disk that was found; size in bytes."""


@like(DhcpFacts)
class DhcpFactsOut(Out):
    """What DHCP told a NIC."""


@like(LldpNeighbour)
class NeighbourOut(Out):
    """The switch port behind a NIC, as LLDP says it."""


@like(FoundNic)
class FoundNicOut(Out):
    """A NIC that was found; `link_speed` in Mbit/s, 0 where it is not known."""

    dhcp: DhcpFactsOut | None
    neighbour: NeighbourOut | None


@like(CommissioningDifference)
class DifferenceOut(Out):
    """Where a machine is another than its record says."""

    text: str

    @classmethod
    def of(cls, item: CommissioningDifference) -> Self:
        """Of the model."""
        return cls.made(item, text=render_difference_found(item))


@like(FoundHardware)
class CommissioningOut(Out):
    """What a machine reported of itself, when (seconds since the epoch), and where that is not as planned."""

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
