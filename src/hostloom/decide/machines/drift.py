"""Differences between a machine on its host and its record, and which of them prevent a start."""

from collections.abc import Iterable

from hostloom.decide.machines.nic_verification import attached
from hostloom.model.drift import Drift
from hostloom.model.machine import Disk, Machine, MachineInterface, MachineOrigin, PowerState
from hostloom.model.observed import ObservedInterface, ObservedMachine

#: A logical volume is rounded up to extents of its volume group.
_ROUNDING_BYTES = 64 << 20
#: The kind of a difference: the machine is also defined on another host.
COPY = "machine-copy"
#: Differences that do not prevent a start.
_HARMLESS = frozenset({"machine-name", COPY})


def machine_drift(machine: Machine, observed_machine: ObservedMachine) -> tuple[Drift, ...]:
    """Every difference: of the machine itself, then of its NICs, then of its disks."""
    return (
        *_own(machine, observed_machine),
        *_nics(machine, observed_machine),
        *_disks(machine, observed_machine),
    )


def copies_of(machine: Machine) -> tuple[str, ...]:
    """The names of other hosts on which the machine is defined."""
    return tuple(change.subject for change in machine.drift if change.kind == COPY)


def copy_on(host: str, power: PowerState) -> Drift:
    """The difference for a machine that is also defined on another host."""
    return Drift(COPY, host, "", "running" if power is PowerState.ON else "switched off")


def prevents_start(changes: Iterable[Drift]) -> tuple[Drift, ...]:
    """The differences that make it another machine than the one that was composed."""
    return tuple(change for change in changes if change.kind not in _HARMLESS)


def _own(machine: Machine, observed_machine: ObservedMachine) -> Iterable[Drift]:
    is_composed = machine.origin is MachineOrigin.COMPOSED
    if machine.domain_name not in ("", observed_machine.name):
        yield Drift("machine-name", "", machine.domain_name, observed_machine.name)
    if is_composed and observed_machine.system_id != machine.system_id:
        yield Drift("machine-mark", "", machine.system_id, observed_machine.system_id or "")
    if observed_machine.cores != machine.cores:
        yield Drift("machine-cores", "", str(machine.cores), str(observed_machine.cores))
    if observed_machine.memory_mib != machine.memory_mib:
        yield Drift("machine-memory", "", f"{machine.memory_mib} MiB", f"{observed_machine.memory_mib} MiB")


def _nics(machine: Machine, observed_machine: ObservedMachine) -> Iterable[Drift]:
    observed_interfaces = {nic.mac: nic for nic in observed_machine.interfaces}
    macs = {nic.mac for nic in machine.interfaces}
    for nic in machine.interfaces:
        now = observed_interfaces.get(nic.mac)
        if now is None:
            yield Drift("machine-nic", f"{nic.name} ({nic.mac})", attached(nic.attachment), "")
        elif _way(nic) != _way(now):
            expected, present = attached(nic.attachment), attached(now.attachment)
            yield Drift("machine-nic", f"{nic.name} ({nic.mac})", expected, present)
    for extra in observed_machine.interfaces:
        if extra.mac not in macs:
            yield Drift("machine-nic", str(extra.mac), "", attached(extra.attachment))


def _way(nic: MachineInterface | ObservedInterface) -> tuple[object, ...]:
    return nic.attachment.kind, nic.attachment.source, nic.attachment.mode


def _disks(machine: Machine, observed_machine: ObservedMachine) -> Iterable[Drift]:
    left = list(observed_machine.disks)
    for disk in machine.disks:
        now = next((candidate for candidate in left if _is_volume(disk, candidate)), None)
        if now is None:
            yield Drift("machine-disk", disk.name, _volume(disk), "")
            continue
        left.remove(now)
        if now.pool and not now.size_bytes and disk.size_bytes:
            yield Drift("machine-volume", disk.name, _volume(disk), "")
        elif now.size_bytes and not 0 <= now.size_bytes - disk.size_bytes <= _slack(machine):
            yield Drift("machine-disk", disk.name, f"{disk.size_bytes} bytes", f"{now.size_bytes} bytes")
    for extra in left:
        yield Drift("machine-disk", extra.name, "", _volume(extra))


def _slack(machine: Machine) -> int:
    return _ROUNDING_BYTES if machine.origin is MachineOrigin.COMPOSED else 0


def _is_volume(disk: Disk, observed: Disk) -> bool:
    """Whether the volumes are the same; in an inactive pool only the path is known."""
    if (disk.pool, disk.volume) == (observed.pool, observed.volume):
        return True
    return not observed.pool and observed.volume.rpartition("/")[2] == disk.volume.rpartition("/")[2]


def _volume(disk: Disk) -> str:
    return f"{disk.volume} in {disk.pool}" if disk.pool else disk.volume or "a disk without a volume"
