"""Differences between a machine's hardware report and its record, as data."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.commissioning import BootAction, FoundDisk, FoundHardware, FoundNic
from hostloom.model.ids import VlanId
from hostloom.model.machine import Disk, Machine, MachineInterface, MachineOrigin

#: Firmware and kernel keep some memory for themselves: this much, and this share of it all.
KEPT_MIB = 128
KEPT_PERCENT = 3
#: Volumes consist of extents, so a disk may be larger than requested by this much.
EXTENT_BYTES = 64 * 2**20


class DifferenceCode(StrEnum):
    """The kinds of differences."""

    CORES = "cores"
    MEMORY = "memory"
    ARCHITECTURE = "architecture"
    DISK_MISSING = "disk-missing"
    DISK_UNEXPECTED = "disk-unexpected"
    DISK_SIZE = "disk-size"
    NIC_MISSING = "nic-missing"
    NIC_UNEXPECTED = "nic-unexpected"
    NO_CARRIER = "no-carrier"
    NO_LEASE = "no-lease"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class CommissioningDifference:
    """One difference; only decide/explain/ renders it as text."""

    code: DifferenceCode
    #: The disk or NIC; empty for the machine itself.
    subject: str = ""
    wanted: str = ""
    found: str = ""


class AfterReport(StrEnum):
    """The next action of a machine after its report."""

    #: Its commissioning environment keeps running.
    STAY = "stay"
    POWER_OFF = "poweroff"
    REBOOT = "reboot"


def next_step(origin: MachineOrigin, *, just_enlisted: bool) -> AfterReport:
    """The next action of a machine after its report.

    A machine that booted without a request continues with its own disk. A composed machine keeps running,
    because its user started it. A bare machine is switched off after a requested commissioning.
    """
    if just_enlisted:
        return AfterReport.REBOOT
    return AfterReport.STAY if origin is MachineOrigin.COMPOSED else AfterReport.POWER_OFF


def asks_to_commission(machine: Machine) -> bool:
    """Whether the last request was for a report."""
    return machine.next_boot is BootAction.COMMISSION


def differences_from_plan(
    machine: Machine, hardware: FoundHardware, served: Container[VlanId]
) -> tuple[CommissioningDifference, ...]:
    """Differences of a composed machine from its plan; `served` are the VLANs on which our DHCP answers."""
    return (
        *_machine(machine.cores, machine.memory_mib, machine.architecture, hardware),
        *_planned_disks(machine.disks, hardware.disks),
        *_planned_nics(machine.interfaces, hardware.nics, served),
    )


def differences_from_before(
    before: FoundHardware, hardware: FoundHardware
) -> tuple[CommissioningDifference, ...]:
    """Differences of a bare machine from its last report; an unplugged cable counts."""
    return (
        *_machine(
            before.cores, _about(before.memory_mib, hardware.memory_mib), before.architecture, hardware
        ),
        *_disks_before(before.disks, hardware.disks),
        *_nics_before(before.nics, hardware.nics),
    )


def _machine(
    cores: int, memory_mib: int, architecture: str, hardware: FoundHardware
) -> Iterator[CommissioningDifference]:
    if hardware.cores != cores:
        yield CommissioningDifference(DifferenceCode.CORES, wanted=str(cores), found=str(hardware.cores))
    kept_mib = KEPT_MIB + memory_mib * KEPT_PERCENT // 100
    if not memory_mib - kept_mib <= hardware.memory_mib <= memory_mib:
        yield CommissioningDifference(
            DifferenceCode.MEMORY, wanted=str(memory_mib), found=str(hardware.memory_mib)
        )
    if hardware.architecture != architecture:
        yield CommissioningDifference(
            DifferenceCode.ARCHITECTURE, wanted=architecture, found=hardware.architecture
        )


def _about(before_mib: int, now_mib: int) -> int:
    """The previous memory, if the difference is small enough to come from another kernel."""
    return now_mib if abs(now_mib - before_mib) <= KEPT_MIB else before_mib


def _planned_disks(planned: Iterable[Disk], disks: Iterable[FoundDisk]) -> Iterator[CommissioningDifference]:
    """By serial, which is the disk's name (its first 20 characters), else in their order."""
    left = list(disks)
    unmatched = []
    for disk in planned:
        same = next(
            (found_disk for found_disk in left if found_disk.serial and found_disk.serial == disk.name[:20]),
            None,
        )
        if same is None:
            unmatched.append(disk)
        else:
            left.remove(same)
            yield from _size(disk, same)
    for disk in unmatched:
        if left:
            yield from _size(disk, left.pop(0))
        else:
            yield CommissioningDifference(DifferenceCode.DISK_MISSING, disk.name, wanted=str(disk.size_bytes))
    for extra in left:
        yield CommissioningDifference(DifferenceCode.DISK_UNEXPECTED, extra.name, found=str(extra.size_bytes))


def _size(disk: Disk, found_disk: FoundDisk) -> Iterator[CommissioningDifference]:
    if not disk.size_bytes <= found_disk.size_bytes <= disk.size_bytes + EXTENT_BYTES:
        yield CommissioningDifference(
            DifferenceCode.DISK_SIZE, disk.name, str(disk.size_bytes), str(found_disk.size_bytes)
        )


def _planned_nics(
    planned: Iterable[MachineInterface], nics: Iterable[FoundNic], served: Container[VlanId]
) -> Iterator[CommissioningDifference]:
    by_mac = {found_nic.mac: found_nic for found_nic in nics}
    for nic in planned:
        same = by_mac.pop(nic.mac, None)
        if same is None:
            yield CommissioningDifference(DifferenceCode.NIC_MISSING, nic.name, wanted=str(nic.mac))
        elif not same.carrier:
            yield CommissioningDifference(DifferenceCode.NO_CARRIER, nic.name)
        else:
            yield from _address(nic, same, served)
    for extra in by_mac.values():
        yield CommissioningDifference(DifferenceCode.NIC_UNEXPECTED, extra.name, found=str(extra.mac))


def _address(
    nic: MachineInterface, found_nic: FoundNic, served: Container[VlanId]
) -> Iterator[CommissioningDifference]:
    """A missing address counts only if our DHCP serves it; a different one comes from another server."""
    addresses = ", ".join(str(ip) for ip in nic.ips)
    if found_nic.dhcp is None:
        if nic.ips and nic.vlan_id in served:
            yield CommissioningDifference(DifferenceCode.NO_LEASE, nic.name, wanted=addresses)
    elif any(ip.version == found_nic.dhcp.ip.version for ip in nic.ips) and found_nic.dhcp.ip not in nic.ips:
        yield CommissioningDifference(DifferenceCode.ADDRESS, nic.name, addresses, str(found_nic.dhcp.ip))


def _disks_before(
    before: Iterable[FoundDisk], disks: Iterable[FoundDisk]
) -> Iterator[CommissioningDifference]:
    """By serial number where there is one, else by name."""
    left = {found_disk.serial or found_disk.name: found_disk for found_disk in disks}
    for disk in before:
        same = left.pop(disk.serial or disk.name, None)
        if same is None:
            yield CommissioningDifference(DifferenceCode.DISK_MISSING, disk.name, wanted=str(disk.size_bytes))
        elif same.size_bytes != disk.size_bytes:
            sizes = str(disk.size_bytes), str(same.size_bytes)
            yield CommissioningDifference(DifferenceCode.DISK_SIZE, disk.name, *sizes)
    for extra in left.values():
        yield CommissioningDifference(DifferenceCode.DISK_UNEXPECTED, extra.name, found=str(extra.size_bytes))


def _nics_before(before: Iterable[FoundNic], nics: Iterable[FoundNic]) -> Iterator[CommissioningDifference]:
    left = {found_nic.mac: found_nic for found_nic in nics}
    for nic in before:
        same = left.pop(nic.mac, None)
        if same is None:
            yield CommissioningDifference(DifferenceCode.NIC_MISSING, nic.name, wanted=str(nic.mac))
        elif nic.carrier and not same.carrier:
            yield CommissioningDifference(DifferenceCode.NO_CARRIER, nic.name)
    for extra in left.values():
        yield CommissioningDifference(DifferenceCode.NIC_UNEXPECTED, extra.name, found=str(extra.mac))
