"""Machines that are recorded on another host than the one that has them: moved or duplicated machines."""

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
    #: The machine's when its host was asked.
    generation: int = 0


class Sighting(StrEnum):
    """The relation of a machine to its record on another host."""

    #: It is here now.
    MOVED = "moved"
    #: It is still there; here is its definition, switched off.
    COPY = "copy"
    #: It runs in both places.
    TWICE = "twice"
    #: The same UUID, but not our mark: another machine.
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
