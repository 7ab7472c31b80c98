"""A machine's power in sagas: its state before a change, and the check before a start."""

from dataclasses import dataclass

from hostloom.decide.explain.drift import render_change
from hostloom.decide.machines.drift import machine_drift, prevents_start
from hostloom.model.errors.resources import MachineDiffers
from hostloom.model.machine import Machine, MachineOrigin
from hostloom.ports.hypervisor import Hypervisor


@dataclass(frozen=True)
class WasRunning:
    """Whether the machine was powered on."""

    on: bool


def require_as_composed(hypervisor: Hypervisor, machine: Machine) -> None:
    """Raise MachineDiffers with the differences; a missing or foreign machine has none."""
    observed_machine = (
        hypervisor.find_machine(machine.uuid) if machine.origin is MachineOrigin.COMPOSED else None
    )
    if observed_machine is None:
        return
    if differences := prevents_start(machine_drift(machine, observed_machine)):
        raise MachineDiffers(machine.hostname, [render_change(change) for change in differences])
