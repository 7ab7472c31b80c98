"""Commission: let a machine boot from the network and report its hardware within a time limit."""

from contextlib import suppress
from dataclasses import dataclass, replace

from hostloom.model.commissioning import BootAction
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineState, PowerState, check_transition
from hostloom.model.power import PowerKind
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import hypervisor_of
from hostloom.recording.power import ask_person, driver_of, settings_of
from hostloom.sagas.machine_power import WasRunning, require_as_composed
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class CommissionInput:
    """The machine."""

    system_id: SystemId
    hostname: str


@dataclass(frozen=True)
class StateBeforeCommissioning:
    """The machine's previous state, for the undo."""

    state: MachineState
    next_boot: BootAction | None


def _machine(run: Run[CommissionInput]) -> Machine:
    with run.ports.store.begin() as uow:
        return uow.machines.get(run.input.system_id)


def _mark(run: Run[CommissionInput], uow: UnitOfWork) -> StateBeforeCommissioning:
    machine = uow.machines.get(run.input.system_id)
    if run.has(MARK):
        return run.output(MARK)
    check_transition(machine.hostname, machine.state, MachineState.COMMISSIONING)
    now = run.ports.clock.now()
    by = now + run.ports.settings.commission_timeout_s
    marked = replace(
        machine, state=MachineState.COMMISSIONING, next_boot=BootAction.COMMISSION, commission_by=by
    )
    uow.machines.update(marked)
    text = "boots the commissioning environment next"
    uow.events.add(Event(EventKind.MACHINE_COMMISSIONING, machine_subject(machine), text, now))
    return StateBeforeCommissioning(machine.state, machine.next_boot)


def _unmark(run: Run[CommissionInput], uow: UnitOfWork) -> None:
    """Restore the machine, unless it has reported meanwhile."""
    machine = uow.machines.get(run.input.system_id)
    if run.has(MARK) and machine.state is MachineState.COMMISSIONING:
        before = run.output(MARK)
        uow.machines.update(
            replace(machine, state=before.state, next_boot=before.next_boot, commission_by=None)
        )


def _note_power(run: Run[CommissionInput]) -> WasRunning:
    machine = _machine(run)
    if machine.host_id is None:
        settings = settings_of(run.ports, machine)
        on = settings is not None and driver_of(run.ports, settings).status() is PowerState.ON
        return WasRunning(on)
    return WasRunning(hypervisor_of(run.ports, machine).power(machine.uuid) is PowerState.ON)


def _restart(run: Run[CommissionInput]) -> None:
    """Restart a machine; without power settings, or with manual power, a person must switch it on."""
    machine = _machine(run)
    if machine.host_id is None:
        _restart_bare(run, machine)
        return
    hypervisor = hypervisor_of(run.ports, machine)
    require_as_composed(hypervisor, machine)
    if hypervisor.power(machine.uuid) is PowerState.ON:
        hypervisor.stop(machine.uuid, machine.system_id, force=True)
    hypervisor.start(machine.uuid, machine.system_id)


def _restart_bare(run: Run[CommissionInput], machine: Machine) -> None:
    """Power off, choose the network, power on: some BMCs keep a boot device only while it is off."""
    settings = settings_of(run.ports, machine)
    if settings is None or settings.kind is PowerKind.MANUAL:
        ask_person(run.ports, machine, "switch it on, or restart it, and let it boot from the network")
        return
    power = driver_of(run.ports, settings)
    power.off()
    power.boot_from_network()
    power.on()


def _stop_again(run: Run[CommissionInput]) -> None:
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


def _record_power(run: Run[CommissionInput], uow: UnitOfWork) -> None:
    machine = uow.machines.get(run.input.system_id)
    settings = uow.power_settings.find(machine.system_id)
    is_switched = machine.host_id is not None or (
        settings is not None and settings.kind is not PowerKind.MANUAL
    )
    if is_switched and machine.power is not PowerState.ON:
        uow.machines.update(replace(machine, power=PowerState.ON))


MARK = Step[CommissionInput, StateBeforeCommissioning](
    "mark", StateBeforeCommissioning, rows=_mark, undo_rows=_unmark
)
POWER_STATE = Step[CommissionInput, WasRunning]("power-state", WasRunning, do=_note_power)
RESTART = Step[CommissionInput, None]("restart", do=_restart, undo=_stop_again)
SETTLE = Step[CommissionInput, None]("settle", rows=_record_power)

COMMISSION = Saga("commission", CommissionInput, (MARK, POWER_STATE, RESTART, SETTLE))


def give_up_overdue(ports: Ports) -> None:
    """Mark machines with overdue reports as failed."""
    with ports.store.begin() as uow:
        overdue = uow.machines.overdue(ports.clock.now())
    for machine in overdue:
        # A machine that has changed meanwhile may have reported; the next check shows it.
        with suppress(StaleGeneration), ports.store.begin() as uow:
            _give_up(uow, ports, machine)
            uow.commit()


def _give_up(uow: UnitOfWork, ports: Ports, machine: Machine) -> None:
    failed = machine.state is MachineState.COMMISSIONING
    state = MachineState.FAILED_COMMISSIONING if failed else machine.state
    next_boot = None if machine.next_boot is BootAction.COMMISSION else machine.next_boot
    uow.machines.update(replace(machine, state=state, next_boot=next_boot, commission_by=None))
    if failed:
        timeout_s = ports.settings.commission_timeout_s
        text = f"no report came within {timeout_s:g} s: did it boot from the network?"
        event = Event(EventKind.COMMISSIONING_FAILED, machine_subject(machine), text, ports.clock.now())
        uow.events.add(event)
