"""Events for machines that went off or came on."""

from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, PowerState
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork

_EVENTS = {
    (PowerState.ON, PowerState.OFF): (EventKind.MACHINE_OFF, "went off"),
    (PowerState.OFF, PowerState.ON): (EventKind.MACHINE_ON, "came on"),
}


def record_power_events(uow: UnitOfWork, ports: Ports, machine: Machine, power: PowerState) -> None:
    """An event where a machine has another power than was recorded, because its host or its system did it."""
    if (event := _EVENTS.get((machine.power, power))) is not None:
        kind, message = event
        uow.events.add(Event(kind, machine_subject(machine), message, ports.clock.now()))
