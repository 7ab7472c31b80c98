"""Steps of sagas that change a composed machine while it is undefined: switch it off and undefine it.

The input of such a saga has the machine's `system_id`.
"""

from typing import Any

from hostloom.model.host import Host
from hostloom.model.machine import Machine, PowerState
from hostloom.ports.hypervisor import Hypervisor
from hostloom.recording.host_readings import host_of, hypervisor_of, spec_of
from hostloom.sagas.machine_power import WasRunning
from hostloom.sagas.saga import Run, Step


def read_machine(run: Run[Any]) -> tuple[Machine, Host, Hypervisor]:
    """The machine as it is recorded, with its host."""
    with run.ports.store.begin() as uow:
        machine = uow.machines.get(run.input.system_id)
    return machine, host_of(run.ports.store, machine), hypervisor_of(run.ports, machine)


def define(run: Run[Any]) -> None:
    """Define the machine as it is recorded."""
    machine, host, hypervisor = read_machine(run)
    hypervisor.ensure_machine(spec_of(host, machine))


def undefine(run: Run[Any]) -> None:
    """Undefine the machine; its volumes stay."""
    machine, _, hypervisor = read_machine(run)
    hypervisor.delete_machine(machine.uuid)


def note_power(run: Run[Any]) -> WasRunning:
    """Whether the machine runs."""
    machine, _, hypervisor = read_machine(run)
    return WasRunning(hypervisor.power(machine.uuid) is PowerState.ON)


def _power_off(run: Run[Any]) -> None:
    machine, _, hypervisor = read_machine(run)
    hypervisor.stop(machine.uuid, machine.system_id, force=True)


def _power_on(run: Run[Any]) -> None:
    machine, _, hypervisor = read_machine(run)
    if run.output(POWER_STATE).on:
        hypervisor.start(machine.uuid, machine.system_id)


POWER_STATE = Step[Any, WasRunning]("power-state", WasRunning, do=note_power)
#: After a step with the name and the output of POWER_STATE.
POWER_OFF = Step[Any, None]("power-off", do=_power_off, undo=_power_on)
