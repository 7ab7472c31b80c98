"""The forms of network boot and of what commissioning found."""

from typing import Self

from hostloom.api.forms import In, Ip, Mac, Out
from hostloom.decide.boot import BootReason, decide_boot
from hostloom.decide.commission import Difference, DifferenceCode
from hostloom.decide.explain.boot import render_boot, render_difference_found
from hostloom.model.commissioning import BootAction, DhcpFacts, FoundDisk, FoundNic, LldpNeighbour
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
        found = decide_boot(item, commissioned=commissioned)
        return cls(action=found.action, reason=found.reason, asked=item.next_boot, text=render_boot(found))


class FoundDiskOut(Out):
    """A disk that was found; size in bytes."""

    name: str
    size_bytes: int
    model: str
    serial: str
    rotational: bool

    @classmethod
    def of(cls, item: FoundDisk) -> Self:
        """Of the model."""
        return cls(**{name: getattr(item, name) for name in cls.model_fields})


class DhcpFactsOut(Out):
    """What DHCP told a NIC."""

    ip: Ip
    server: Ip | None
    gateway: Ip | None
    lease_time_s: int | None

    @classmethod
    def of(cls, item: DhcpFacts) -> Self:
        """Of the model."""
        return cls(**{name: getattr(item, name) for name in cls.model_fields})


class NeighbourOut(Out):
    """The switch port behind a NIC, as LLDP says it."""

    chassis: str
    port: str
    system_name: str
    vid: int | None

    @classmethod
    def of(cls, item: LldpNeighbour) -> Self:
        """Of the model."""
        return cls(**{name: getattr(item, name) for name in cls.model_fields})


class FoundNicOut(Out):
    """A NIC that was found; `link_speed` in Mbit/s, 0 where it is not known."""

    name: str
    mac: Mac
    carrier: bool
    link_speed: int
    driver: str
    dhcp: DhcpFactsOut | None
    neighbour: NeighbourOut | None

    @classmethod
    def of(cls, item: FoundNic) -> Self:
        """Of the model."""
        plain = {name: getattr(item, name) for name in ("name", "mac", "carrier", "link_speed", "driver")}
        return cls(
            **plain,
            dhcp=None if item.dhcp is None else DhcpFactsOut.of(item.dhcp),
            neighbour=None if item.neighbour is None else NeighbourOut.of(item.neighbour),
        )


class DifferenceOut(Out):
    """Where a machine is another than its record says."""

    code: DifferenceCode
    subject: str
    wanted: str
    found: str
    text: str

    @classmethod
    def of(cls, item: Difference) -> Self:
        """Of the model."""
        text = render_difference_found(item)
        return cls(code=item.code, subject=item.subject, wanted=item.wanted, found=item.found, text=text)


class CommissioningOut(Out):
    """What a machine reported of itself, when (seconds since the epoch), and where that is not as planned."""

    at: float
    cores: int
    memory_mib: int
    architecture: str
    firmware: str
    cpu_model: str
    vendor: str
    product: str
    uuid: str
    serial: str
    uptime_s: float
    disks: list[FoundDiskOut]
    nics: list[FoundNicOut]
    differences: list[DifferenceOut]

    @classmethod
    def of(cls, item: Found) -> Self:
        """Of the model."""
        hardware = item.commissioning.hardware
        plain = "cores memory_mib architecture firmware cpu_model vendor product uuid serial uptime_s"
        return cls(
            **{name: getattr(hardware, name) for name in plain.split()},
            at=item.commissioning.at,
            disks=[FoundDiskOut.of(each) for each in hardware.disks],
            nics=[FoundNicOut.of(each) for each in hardware.nics],
            differences=[DifferenceOut.of(each) for each in item.differences],
        )
