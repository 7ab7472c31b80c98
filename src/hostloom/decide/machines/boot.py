"""What a machine that boots from the network is given; no disk is touched unless its user asks for it."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.commissioning import BootAction
from hostloom.model.machine import Machine, MachineOrigin, MachineState


class BootReason(StrEnum):
    """Why."""

    #: `machine boot --next`, or `machine commission`.
    ASKED = "asked"
    #: Composed, and what it is has never been seen from inside.
    NEVER_COMMISSIONED = "never-commissioned"
    COMMISSIONING = "commissioning"
    #: Enlisted: not touched until told.
    NEW = "new"
    #: It was not made by hostloom.
    ADOPTED = "adopted"
    #: Composed, it has reported what it is, and hostloom has installed nothing on its disk.
    NOT_DEPLOYED = "not-deployed"
    #: It is deployed: it is already set up.
    SETTLED = "settled"
    #: hostloom has nothing for it to boot, and leaves it to what its disk may have.
    IDLE = "idle"
    #: A host, a controller or a device, which is no machine of ours.
    OTHER_NODE = "other-node"
    UNKNOWN = "unknown"
    ENLISTING_OFF = "enlisting-off"


@dataclass(frozen=True, slots=True)
class BootDecision:
    """What it is given, and why."""

    action: BootAction
    reason: BootReason

    @property
    def tries_disk_first(self) -> bool:
        """Its user may have put a system on the disk: where one starts, it is never booted past."""
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
    """For a machine that we know: the user's word first; `commissioned`: it has reported what it is."""
    if machine.next_boot is not None:
        return BootDecision(machine.next_boot, BootReason.ASKED)
    if machine.origin is MachineOrigin.ADOPTED:
        return BootDecision(BootAction.LOCAL, BootReason.ADOPTED)
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
    """For a MAC that no machine has; `is_node`: it is a host's, a controller's or a device's."""
    if is_node:
        return BootDecision(BootAction.LOCAL, BootReason.OTHER_NODE)
    if enlist:
        return BootDecision(BootAction.ENLIST, BootReason.UNKNOWN)
    return BootDecision(BootAction.LOCAL, BootReason.ENLISTING_OFF)
