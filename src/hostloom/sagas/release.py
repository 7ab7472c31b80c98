"""Release: take a deployed machine out of use; its seed is deleted, and its disks are erased if asked for."""

from dataclasses import dataclass, replace

from hostloom.model.annotation import Annotated
from hostloom.model.deployment import SEED_DISK
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineState, PowerState, check_transition
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import spec_of
from hostloom.sagas.saga import Run, Saga, Step
from hostloom.sagas.undefinition import POWER_OFF, POWER_STATE, define, read_machine, undefine


@dataclass(frozen=True)
class ReleaseInput:
    """The machine, and whether to erase its disks."""

    system_id: SystemId
    hostname: str
    erase: bool = False
    #: The machine stays allocated to its owner, because only its deployment was aborted.
    keep_owner: bool = False


@dataclass(frozen=True)
class StateBeforeRelease:
    """The machine's previous state, for the undo."""

    state: MachineState


def _without_seed(machine: Machine) -> Machine:
    return replace(machine, disks=tuple(disk for disk in machine.disks if disk.name != SEED_DISK))


def _mark(run: Run[ReleaseInput], uow: UnitOfWork) -> StateBeforeRelease:
    if run.has(MARK):
        return run.output(MARK)
    machine = uow.machines.get(run.input.system_id)
    check_transition(machine.hostname, machine.state, MachineState.RELEASING)
    uow.machines.update(replace(machine, state=MachineState.RELEASING))
    return StateBeforeRelease(machine.state)


def _unmark(run: Run[ReleaseInput], uow: UnitOfWork) -> None:
    if run.has(MARK):
        machine = uow.machines.get(run.input.system_id)
        uow.machines.update(replace(machine, state=run.output(MARK).state))


def _erase(run: Run[ReleaseInput]) -> None:
    machine, _, hypervisor = read_machine(run)
    for disk in machine.disks:
        if disk.name == SEED_DISK:
            hypervisor.volumes.delete(disk)
        elif run.input.erase:
            hypervisor.volumes.erase(disk)


def _define_without_seed(run: Run[ReleaseInput]) -> None:
    machine, host, hypervisor = read_machine(run)
    hypervisor.ensure_machine(spec_of(host, _without_seed(machine)))


def _finish(run: Run[ReleaseInput], uow: UnitOfWork) -> None:
    machine = uow.machines.get(run.input.system_id)
    is_kept = run.input.keep_owner and machine.owner
    freed = replace(_without_seed(machine), state=MachineState.ALLOCATED, power=PowerState.OFF)
    if not is_kept:
        freed = replace(freed, state=MachineState.READY, owner="")
        uow.annotations.put(Annotated.NODE, machine.system_id, {})
    uow.machines.update(freed)
    uow.deployments.delete(machine.system_id)
    text = f"released by {run.operation.requested_by}"
    if is_kept:
        text = f"its deployment was aborted by {run.operation.requested_by}"
    if run.input.erase:
        text += "; its disks are erased"
    now = run.ports.clock.now()
    uow.events.add(Event(EventKind.MACHINE_RELEASED, machine_subject(machine), text, now))


MARK = Step[ReleaseInput, StateBeforeRelease]("mark", StateBeforeRelease, rows=_mark, undo_rows=_unmark)
UNDEFINE = Step[ReleaseInput, None]("undefine", do=undefine, undo=define)
#: Deleted content cannot be restored, so from here on the saga only goes forward.
ERASE = Step[ReleaseInput, None]("erase", do=_erase, forward_only=True)
DOMAIN = Step[ReleaseInput, None]("domain", do=_define_without_seed)
FINISH = Step[ReleaseInput, None]("finish", rows=_finish)

RELEASE = Saga("release", ReleaseInput, (MARK, POWER_STATE, POWER_OFF, UNDEFINE, ERASE, DOMAIN, FINISH))
