"""Machines that one host has and another host's record contains: moved or duplicated machines."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState, PowerState
from hostloom.model.observed import ObservedMachine


@dataclass(frozen=True)
class Elsewhere:
    """The answer of another host about a machine, requested while this host was read."""

    system_id: SystemId
    host_id: HostId
    #: None: it does not answer.
    there: bool | None
    power: PowerState = PowerState.UNKNOWN
    #: The generation of the machine when its host was asked.
    generation: int = 0


class Sighting(StrEnum):
    """The relation of a machine to its record on another host."""

    #: The machine is here now.
    MOVED = "moved"
    #: The machine is still there; this host has only its definition, switched off.
    COPY = "copy"
    #: The machine runs on both hosts.
    TWICE = "twice"
    #: Another machine with the same UUID, but without our mark.
    OTHER = "other"


def judge(machine: Machine, observed_machine: ObservedMachine, answer: Elsewhere | None) -> Sighting:
    """Judge a machine that is recorded on another host; the running one counts."""
    if machine.origin is MachineOrigin.COMPOSED and observed_machine.system_id != machine.system_id:
        return Sighting.OTHER
    runs_here = observed_machine.power is PowerState.ON
    if answer is None or answer.there is None:
        is_gone = machine.state is MachineState.MISSING
        return Sighting.MOVED if runs_here or is_gone else Sighting.COPY
    if not answer.there:
        return Sighting.MOVED
    if answer.power is PowerState.ON:
        return Sighting.TWICE if runs_here else Sighting.COPY
    return Sighting.MOVED if runs_here else Sighting.COPY
