"""Decides what a machine boots from the network; no disk is changed unless its user requests it."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.commissioning import BootAction
from hostloom.model.deployment import SEED_DISK
from hostloom.model.machine import Machine, MachineOrigin, MachineState


class BootReason(StrEnum):
    """The reasons of boot decisions."""

    #: `machine boot --next`, or `machine commission`.
    ASKED = "asked"
    #: It was composed, and has never reported its hardware.
    NEVER_COMMISSIONED = "never-commissioned"
    COMMISSIONING = "commissioning"
    #: Enlisted, and waiting for an operator.
    NEW = "new"
    #: Not composed by hostloom.
    ADOPTED = "adopted"
    #: Composed, has reported its hardware, and hostloom has not installed a system on its disk.
    NOT_DEPLOYED = "not-deployed"
    #: Deployed, or getting a system.
    SETTLED = "settled"
    #: hostloom has no image for it, so it boots its disk.
    IDLE = "idle"
    #: A host, controller or device.
    OTHER_NODE = "other-node"
    UNKNOWN = "unknown"
    ENLISTING_OFF = "enlisting-off"


@dataclass(frozen=True, slots=True)
class BootDecision:
    """The decision and its reason."""

    action: BootAction
    reason: BootReason

    @property
    def tries_disk_first(self) -> bool:
        """Whether its disk has precedence, because the user may have installed a system there."""
        return self.reason is BootReason.NOT_DEPLOYED


#: hostloom has installed nothing on the disks of composed machines in these states.
_NOT_DEPLOYED = frozenset(
    {
        MachineState.COMMISSIONING,
        MachineState.FAILED_COMMISSIONING,
        MachineState.READY,
        MachineState.ALLOCATED,
    }
)


def decide_boot(machine: Machine, *, commissioned: bool) -> BootDecision:
    """Decide for a known machine; a user's request comes first; `commissioned`: it has reported."""
    if machine.next_boot is not None:
        return BootDecision(machine.next_boot, BootReason.ASKED)
    if machine.origin is MachineOrigin.ADOPTED:
        return BootDecision(BootAction.LOCAL, BootReason.ADOPTED)
    if any(disk.name == SEED_DISK for disk in machine.disks):
        return BootDecision(BootAction.LOCAL, BootReason.SETTLED)
    is_empty = machine.origin is MachineOrigin.COMPOSED and machine.state in _NOT_DEPLOYED
    if is_empty and not commissioned:
        return BootDecision(BootAction.COMMISSION, BootReason.NEVER_COMMISSIONED)
    if machine.state is MachineState.COMMISSIONING:
        return BootDecision(BootAction.COMMISSION, BootReason.COMMISSIONING)
    if is_empty:
        return BootDecision(BootAction.COMMISSION, BootReason.NOT_DEPLOYED)
    if machine.state is MachineState.NEW:
        return BootDecision(BootAction.LOCAL, BootReason.NEW)
    is_deployed = machine.state is MachineState.DEPLOYED
    return BootDecision(BootAction.LOCAL, BootReason.SETTLED if is_deployed else BootReason.IDLE)


def decide_strangers_boot(*, is_node: bool, enlist: bool) -> BootDecision:
    """Decide for a MAC without a machine; `is_node`: it belongs to a host, controller or device."""
    if is_node:
        return BootDecision(BootAction.LOCAL, BootReason.OTHER_NODE)
    if enlist:
        return BootDecision(BootAction.ENLIST, BootReason.UNKNOWN)
    return BootDecision(BootAction.LOCAL, BootReason.ENLISTING_OFF)
