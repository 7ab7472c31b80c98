"""Decompose: delete a composed machine and release everything that was reserved for it."""

from dataclasses import dataclass, replace

from hostloom.model.errors.resources import NotFound
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineState, PowerState
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.publish_dhcp import publish_dhcp
from hostloom.recording.host_readings import host_of, hypervisor_of, require_nowhere_else, spec_of
from hostloom.sagas.machine_power import WasRunning
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class DecomposeInput:
    """The machine."""

    system_id: SystemId
    hostname: str


@dataclass(frozen=True)
class StateBeforeDecompose:
    """The machine's previous state, for the undo."""

    state: MachineState
    dhcp_published: bool


def _find(run: Run[DecomposeInput], uow: UnitOfWork) -> Machine | None:
    try:
        return uow.machines.get(run.input.system_id)
    except NotFound:
        return None


def _machine(run: Run[DecomposeInput]) -> Machine:
    with run.ports.store.begin() as uow:
        return uow.machines.get(run.input.system_id)


def _withdraw(run: Run[DecomposeInput], uow: UnitOfWork) -> StateBeforeDecompose:
    machine = uow.machines.get(run.input.system_id)
    if run.has(WITHDRAW):
        return run.output(WITHDRAW)
    uow.machines.update(replace(machine, state=MachineState.RELEASING, dhcp_published=False))
    return StateBeforeDecompose(machine.state, machine.dhcp_published)


def _publish(run: Run[DecomposeInput]) -> None:
    # A server that is down assigns no addresses, and gets the stored state when it is back.
    publish_dhcp(run.ports, ())


def _restore(run: Run[DecomposeInput], uow: UnitOfWork) -> None:
    machine = _find(run, uow)
    if machine is not None and run.has(WITHDRAW):
        before = run.output(WITHDRAW)
        uow.machines.update(replace(machine, state=before.state, dhcp_published=before.dhcp_published))


def _note_power(run: Run[DecomposeInput]) -> WasRunning:
    """Record the power; a missing machine may have been moved, and then uses its resources elsewhere."""
    machine = _machine(run)
    power = hypervisor_of(run.ports, machine).power(machine.uuid)
    if power is PowerState.UNKNOWN:
        require_nowhere_else(run.ports, machine)
    return WasRunning(power is PowerState.ON)


def _power_off(run: Run[DecomposeInput]) -> None:
    machine = _machine(run)
    hypervisor = hypervisor_of(run.ports, machine)
    if hypervisor.power(machine.uuid) is PowerState.ON:
        hypervisor.stop(machine.uuid, machine.system_id, force=True)


def _power_on(run: Run[DecomposeInput]) -> None:
    machine = _machine(run)
    if run.output(POWER_STATE).on:
        hypervisor_of(run.ports, machine).start(machine.uuid, machine.system_id)


def _delete_machine(run: Run[DecomposeInput]) -> None:
    machine = _machine(run)
    hypervisor_of(run.ports, machine).delete_machine(machine.uuid)


def _define_again(run: Run[DecomposeInput]) -> None:
    machine = _machine(run)
    hypervisor_of(run.ports, machine).ensure_machine(spec_of(host_of(run.ports.store, machine), machine))


def _delete_volumes(run: Run[DecomposeInput]) -> None:
    machine = _machine(run)
    hypervisor = hypervisor_of(run.ports, machine)
    for disk in machine.disks:
        hypervisor.volumes.delete(disk)


def _release(run: Run[DecomposeInput], uow: UnitOfWork) -> None:
    uow.release([run.input.system_id])
    subject = machine_subject(run.input)
    uow.events.add(Event(EventKind.MACHINE_DECOMPOSED, subject, "decomposed", run.ports.clock.now()))


WITHDRAW = Step[DecomposeInput, StateBeforeDecompose](
    "withdraw", StateBeforeDecompose, rows=_withdraw, do=_publish, undo_rows=_restore, undo=_publish
)
POWER_STATE = Step[DecomposeInput, WasRunning]("power-state", WasRunning, do=_note_power)
POWER_OFF = Step[DecomposeInput, None]("power-off", do=_power_off, undo=_power_on)
DOMAIN = Step[DecomposeInput, None]("domain", do=_delete_machine, undo=_define_again)
#: A deleted disk cannot be restored, so from here on the saga only goes forward.
VOLUMES = Step[DecomposeInput, None]("volumes", do=_delete_volumes, forward_only=True)
RELEASE = Step[DecomposeInput, None]("release", rows=_release)

DECOMPOSE = Saga("decompose", DecomposeInput, (WITHDRAW, POWER_STATE, POWER_OFF, DOMAIN, VOLUMES, RELEASE))
