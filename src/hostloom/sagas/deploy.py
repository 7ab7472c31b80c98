"""Deploy: give an existing composed machine a system; its first disk is made anew from the image."""

from dataclasses import dataclass, replace

from hostloom.model.deployment import SEED_DISK, SEED_SIZE_BYTES, Deployment, DeployRequest
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import SystemId
from hostloom.model.machine import Disk, Machine, MachineState, PowerState
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import record_start, require_deployable
from hostloom.recording.host_readings import spec_of
from hostloom.sagas.image_copies import UploadProgress, ensure_copy, place_of
from hostloom.sagas.machine_power import WasRunning, require_as_composed
from hostloom.sagas.saga import Run, Saga, Step
from hostloom.sagas.seeds import address_for_reports, begin_deployment, build_seed, seed_disk_of
from hostloom.sagas.undefinition import POWER_OFF, POWER_STATE, define, note_power, read_machine, undefine


@dataclass(frozen=True)
class DeployInput:
    """The machine, what to install, and who gets the machine."""

    system_id: SystemId
    hostname: str
    request: DeployRequest
    image: DiskImage
    owner: str


@dataclass(frozen=True)
class StateBeforeDeploy:
    """The machine before, for the undo."""

    state: MachineState
    owner: str
    disks: tuple[Disk, ...]
    deployment: Deployment | None


def seed_disk(machine: Machine) -> Disk:
    """The seed disk that a machine gets, beside its first disk."""
    volume = f"{machine.hostname}.{machine.uuid[:8]}.{SEED_DISK}.raw"
    return Disk(SEED_DISK, machine.disks[0].pool, volume, SEED_SIZE_BYTES)


def _mark(run: Run[DeployInput], uow: UnitOfWork) -> StateBeforeDeploy:
    if run.has(MARK):
        return run.output(MARK)
    machine = uow.machines.get(run.input.system_id)
    require_deployable(machine)
    before = StateBeforeDeploy(
        machine.state, machine.owner, machine.disks, uow.deployments.find(machine.system_id)
    )
    disks = machine.disks
    if all(disk.name != SEED_DISK for disk in disks):
        disks = (*disks, seed_disk(machine))
    state, owner = MachineState.DEPLOYING, run.input.owner
    uow.machines.update(replace(machine, state=state, owner=owner, disks=disks, next_boot=None))
    reports = address_for_reports(uow, run.ports, machine) is not None
    deployment = begin_deployment(run, machine, run.input.request, run.input.image, reports=reports)
    uow.deployments.put(deployment)
    return before


def _unmark(run: Run[DeployInput], uow: UnitOfWork) -> None:
    if not run.has(MARK):
        return
    before = run.output(MARK)
    machine = uow.machines.get(run.input.system_id)
    uow.machines.update(replace(machine, state=before.state, owner=before.owner, disks=before.disks))
    if before.deployment is None:
        uow.deployments.delete(machine.system_id)
    else:
        uow.deployments.put(before.deployment)


def _ensure_copy(run: Run[DeployInput]) -> None:
    machine, host, _ = read_machine(run)
    place = place_of(host, machine.disks[0].pool, run.input.image)
    ensure_copy(run, host, place, run.input.image, UploadProgress(run))


def _check_and_note_power(run: Run[DeployInput]) -> WasRunning:
    machine, _, hypervisor = read_machine(run)
    require_as_composed(hypervisor, replace(machine, disks=run.output(MARK).disks))
    return note_power(run)


def _define_as_before(run: Run[DeployInput]) -> None:
    machine, host, hypervisor = read_machine(run)
    hypervisor.ensure_machine(spec_of(host, replace(machine, disks=run.output(MARK).disks)))


def _clone(run: Run[DeployInput]) -> None:
    machine, host, hypervisor = read_machine(run)
    root = machine.disks[0]
    hypervisor.volumes.clone(root, place_of(host, root.pool, run.input.image))


def _write_seed(run: Run[DeployInput]) -> None:
    machine, _, hypervisor = read_machine(run)
    with run.ports.store.begin() as uow:
        deployment = uow.deployments.find(machine.system_id)
    if deployment is None:
        raise NotFound("deployment", "", f"machine {machine.hostname!r}")
    hypervisor.volumes.write(seed_disk_of(machine), build_seed(run.ports, machine, deployment))


def _start(run: Run[DeployInput]) -> None:
    machine, _, hypervisor = read_machine(run)
    hypervisor.start(machine.uuid, machine.system_id)


def _finish(run: Run[DeployInput], uow: UnitOfWork) -> None:
    machine = uow.machines.get(run.input.system_id)
    deployment = uow.deployments.find(machine.system_id)
    if deployment is None:
        raise NotFound("deployment", "", f"machine {machine.hostname!r}")
    record_start(uow, run.ports, replace(machine, power=PowerState.ON), deployment)


MARK = Step[DeployInput, StateBeforeDeploy]("mark", StateBeforeDeploy, rows=_mark, undo_rows=_unmark)
IMAGE = Step[DeployInput, None]("image", do=_ensure_copy)
CHECKED_POWER_STATE = Step[DeployInput, WasRunning](POWER_STATE.name, WasRunning, do=_check_and_note_power)
UNDEFINE = Step[DeployInput, None]("undefine", do=undefine, undo=_define_as_before)
#: The content of the disk cannot be restored, so from here on the saga only goes forward.
CLONE = Step[DeployInput, None]("clone", do=_clone, forward_only=True)
SEED = Step[DeployInput, None]("seed", do=_write_seed)
DOMAIN = Step[DeployInput, None]("domain", do=define)
POWER = Step[DeployInput, None]("power", do=_start)
FINISH = Step[DeployInput, None]("finish", rows=_finish)

DEPLOY = Saga(
    "deploy",
    DeployInput,
    (MARK, IMAGE, CHECKED_POWER_STATE, POWER_OFF, UNDEFINE, CLONE, SEED, DOMAIN, POWER, FINISH),
)
