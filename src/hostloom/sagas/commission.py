"""Commission: let a machine boot from the network and report its hardware within a time limit."""

from contextlib import suppress
from dataclasses import dataclass, replace

from hostloom.model.commissioning import BootAction
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineState, check_transition
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.network_restart import RESTART_STEPS
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


MARK = Step[CommissionInput, StateBeforeCommissioning](
    "mark", StateBeforeCommissioning, rows=_mark, undo_rows=_unmark
)

COMMISSION = Saga("commission", CommissionInput, (MARK, *RESTART_STEPS))


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
