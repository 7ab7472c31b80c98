"""Events for machines that went off or came on."""

from hostloom.model.event import Event
from hostloom.model.machine import Machine, PowerState
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork

_EVENTS = {
    (PowerState.ON, PowerState.OFF): ("machine-off", "went off"),
    (PowerState.OFF, PowerState.ON): ("machine-on", "came on"),
}


def record_power_events(uow: UnitOfWork, ports: Ports, machine: Machine, power: PowerState) -> None:
    """An event where a machine has another power than was recorded, because its host or its system did it."""
    if (event := _EVENTS.get((machine.power, power))) is not None:
        kind, message = event
        uow.events.add(Event(kind, f"machine {machine.hostname}", message, ports.clock.now()))
