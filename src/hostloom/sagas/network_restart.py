"""Steps of sagas that restart a machine, so that it boots from the network; the undo switches it off again.

The input of such a saga has the machine's `system_id`.
"""

from dataclasses import replace
from typing import Any

from hostloom.model.machine import Machine, PowerState
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import hypervisor_of
from hostloom.recording.power import ask_person, driver_of, is_switchable, settings_of
from hostloom.sagas.machine_power import WasRunning, require_as_composed
from hostloom.sagas.saga import Run, Step


def _machine(run: Run[Any]) -> Machine:
    with run.ports.store.begin() as uow:
        return uow.machines.get(run.input.system_id)


def _note_power(run: Run[Any]) -> WasRunning:
    machine = _machine(run)
    if machine.host_id is None:
        settings = settings_of(run.ports, machine)
        on = settings is not None and driver_of(run.ports, settings).status() is PowerState.ON
        return WasRunning(on)
    return WasRunning(hypervisor_of(run.ports, machine).power(machine.uuid) is PowerState.ON)


def _restart(run: Run[Any]) -> None:
    """Restart a machine; without power settings, or with manual power, a person is asked to do it."""
    machine = _machine(run)
    if machine.host_id is None:
        _restart_bare(run, machine)
        return
    hypervisor = hypervisor_of(run.ports, machine)
    require_as_composed(hypervisor, machine)
    if hypervisor.power(machine.uuid) is PowerState.ON:
        hypervisor.stop(machine.uuid, machine.system_id, force=True)
    hypervisor.start(machine.uuid, machine.system_id)


def _restart_bare(run: Run[Any], machine: Machine) -> None:
    """Power off, choose the network, power on: some BMCs keep a boot device only while it is off."""
    settings = settings_of(run.ports, machine)
    if settings is None or not is_switchable(settings):
        ask_person(run.ports, machine, "switch it on, or restart it, and let it boot from the network")
        return
    power = driver_of(run.ports, settings)
    power.off()
    power.boot_from_network()
    power.on()


def _stop_again(run: Run[Any]) -> None:
    machine = _machine(run)
    if run.has(POWER_STATE) and run.output(POWER_STATE).on:
        return
    if machine.host_id is None:
        if (settings := settings_of(run.ports, machine)) is not None:
            driver_of(run.ports, settings).off()
        return
    hypervisor = hypervisor_of(run.ports, machine)
    if hypervisor.power(machine.uuid) is PowerState.ON:
        hypervisor.stop(machine.uuid, machine.system_id, force=True)


def _record_power(run: Run[Any], uow: UnitOfWork) -> None:
    machine = uow.machines.get(run.input.system_id)
    settings = uow.power_settings.find(machine.system_id)
    is_switched = machine.host_id is not None or is_switchable(settings)
    if is_switched and machine.power is not PowerState.ON:
        uow.machines.update(replace(machine, power=PowerState.ON))


POWER_STATE = Step[Any, WasRunning]("power-state", WasRunning, do=_note_power)
RESTART = Step[Any, None]("restart", do=_restart, undo=_stop_again)
SETTLE = Step[Any, None]("settle", rows=_record_power)

#: In this order, after the step that chooses what the machine boots.
RESTART_STEPS = (POWER_STATE, RESTART, SETTLE)
