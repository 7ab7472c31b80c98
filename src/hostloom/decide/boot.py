"""What a machine that boots from the network is given; nobody's disk is touched who did not ask for it."""

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
    #: Somebody else made it.
    ADOPTED = "adopted"
    #: It has what it is to run.
    SETTLED = "settled"
    #: A host, a controller or a device, which is no machine of ours.
    OTHER_NODE = "other-node"
    UNKNOWN = "unknown"
    ENLISTING_OFF = "enlisting-off"


@dataclass(frozen=True, slots=True)
class BootDecision:
    """What it is given, and why."""

    action: BootAction
    reason: BootReason


#: Composed machines in these states have no system on their disk yet.
_EMPTY = frozenset({MachineState.COMMISSIONING, MachineState.READY})


def decide_boot(machine: Machine, *, commissioned: bool) -> BootDecision:
    """For a machine that we know: the user's word first; `commissioned`: it has reported what it is."""
    if machine.next_boot is not None:
        return BootDecision(machine.next_boot, BootReason.ASKED)
    if machine.origin is MachineOrigin.ADOPTED:
        return BootDecision(BootAction.LOCAL, BootReason.ADOPTED)
    if machine.origin is MachineOrigin.COMPOSED and machine.state in _EMPTY and not commissioned:
        return BootDecision(BootAction.COMMISSION, BootReason.NEVER_COMMISSIONED)
    if machine.state is MachineState.COMMISSIONING:
        return BootDecision(BootAction.COMMISSION, BootReason.COMMISSIONING)
    if machine.state is MachineState.NEW:
        return BootDecision(BootAction.LOCAL, BootReason.NEW)
    return BootDecision(BootAction.LOCAL, BootReason.SETTLED)


def decide_strangers_boot(*, is_node: bool, enlist: bool) -> BootDecision:
    """For a MAC that no machine has; `is_node`: it is a host's, a controller's or a device's."""
    if is_node:
        return BootDecision(BootAction.LOCAL, BootReason.OTHER_NODE)
    if enlist:
        return BootDecision(BootAction.ENLIST, BootReason.UNKNOWN)
    return BootDecision(BootAction.LOCAL, BootReason.ENLISTING_OFF)
