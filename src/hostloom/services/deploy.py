"""Deploy: what a deployment of an existing machine would do, and the operation that does it."""

from dataclasses import dataclass

from hostloom.decide.deploy.check_deploy import DeployTarget, check_deploy, composed_boot_modes
from hostloom.decide.deploy.copy_pool import copy_pool
from hostloom.decide.explain.reason_texts import refused
from hostloom.model.access import Principal
from hostloom.model.commissioning import FoundDisk
from hostloom.model.deployment import SEED_DISK, DeployRequest, copy_volume
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.resources import WrongState
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.machine import Disk, Machine, MachineOrigin, MachineState
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.ports.repositories import find_by_key
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import require_deployable
from hostloom.sagas.deploy import DEPLOY, DeployInput
from hostloom.sagas.deploy_bare import DEPLOY_BARE, DeployBareInput
from hostloom.sagas.release import RELEASE, ReleaseInput
from hostloom.sagas.saga import start_saga
from hostloom.sagas.seeds import address_for_reports
from hostloom.services import machines
from hostloom.services.access import require_user
from hostloom.services.deploy_bare import plan_bare
from hostloom.services.deployments import complete_request
from hostloom.services.machine_operations import require_no_operation, subject_of, unfinished_operation


@dataclass(frozen=True)
class DeployPlan:
    """What a deployment does."""

    machine: Machine
    #: None: a bare machine.
    host: Host | None
    request: DeployRequest
    image: DiskImage
    #: The disk whose content is lost: of a bare machine, as it reported it.
    wiped: Disk | FoundDisk
    #: The storage pool with the copy of the image, and whether the image has to be copied there first; empty
    #: and True for a bare machine.
    copy_pool: str
    is_copied: bool
    #: Whether the machine can report that its system runs.
    reports: bool


def plan(ports: Ports, principal: Principal, key: str, request: DeployRequest) -> DeployPlan:
    """What the deployment would do; nothing is reserved. Refused, WrongState, NotPermitted, InvalidValue."""
    with ports.store.begin() as uow:
        return _plan(uow, ports, principal, key, request)


def start(ports: Ports, principal: Principal, key: str, request: DeployRequest) -> Operation:
    """Record an operation that deploys a machine; a machine without owner is allocated to the user."""
    with ports.store.begin() as uow:
        uow.lock_world()
        deploy_plan = _plan(uow, ports, principal, key, request)
        machine = deploy_plan.machine
        require_no_operation(uow, machine)
        subject, owner = subject_of(machine), machine.owner or principal.name
        given = (machine.system_id, machine.hostname, deploy_plan.request, deploy_plan.image)
        if isinstance(deploy_plan.wiped, FoundDisk):
            # Names may change when the machine boots.
            disk = deploy_plan.wiped.serial or deploy_plan.wiped.name
            bare_input = DeployBareInput(*given, disk, owner)
            operation = start_saga(uow, ports, principal, DEPLOY_BARE, bare_input, subject)
        else:
            operation = start_saga(uow, ports, principal, DEPLOY, DeployInput(*given, owner), subject)
        uow.commit()
    return operation


def abort(ports: Ports, principal: Principal, key: str) -> Operation:
    """Stop the deployment of a machine, which stays with its owner; NotPermitted, WrongState.

    An operation that still prepares the machine is cancelled; it goes on if the old content of the disk is
    lost already. A machine that was started with its new system is switched off and loses its seed.
    """
    with ports.store.begin() as uow:
        uow.lock_world()
        machine = machines.get(uow, principal, key)
        machines.require_owner(principal, machine, "abort the deployment of")
        machines.require_unlocked(machine)
        deployment = uow.deployments.find(machine.system_id)
        if machine.state is not MachineState.DEPLOYING or deployment is None:
            raise WrongState("machine", machine.hostname, machine.state, "there is no deployment to abort")
        if machine.host_id is None:
            wanted = "the deployment of a bare machine is not aborted; release the machine instead"
            raise WrongState("machine", machine.hostname, machine.state, wanted)
        running = unfinished_operation(uow, machine)
        if running is not None and running.saga == DEPLOY.name:
            operation = uow.operations.request_cancel(running.id)
        else:
            require_no_operation(uow, machine)
            release_input = ReleaseInput(machine.system_id, machine.hostname, keep_owner=True)
            operation = start_saga(uow, ports, principal, RELEASE, release_input, subject_of(machine))
        uow.commit()
    return operation


def record_ignored(uow: UnitOfWork, ports: Ports, machine: Machine, option: str, value: str) -> None:
    """Record that a part of a request has no effect."""
    text = f"{option} {value[:60]!r} is ignored: the machine runs the kernel of its image"
    now = ports.clock.now()
    uow.events.add(Event(EventKind.DEPLOY_OPTION_IGNORED, machine_subject(machine), text, now))


def _plan(
    uow: UnitOfWork, ports: Ports, principal: Principal, key: str, request: DeployRequest
) -> DeployPlan:
    require_user(principal, "deploy machines")
    machine = machines.get(uow, principal, key)
    _check_state(principal, machine)
    request = complete_request(uow, principal, request)
    image = find_by_key(uow.disk_images, "disk image", request.image)
    if machine.origin is MachineOrigin.ENLISTED:
        wiped = plan_bare(uow, ports, machine, image, request.disk)
        return DeployPlan(machine, None, request, image, wiped, "", is_copied=True, reports=True)
    if machine.origin is not MachineOrigin.COMPOSED or machine.host_id is None or not machine.disks:
        wanted = "only bare machines, and machines with a disk that hostloom composed, are deployed"
        raise WrongState("machine", machine.hostname, machine.origin, wanted)
    if request.disk:
        problem = "is set for a composed machine, which is deployed to its first disk"
        raise InvalidValue("disk", request.disk, problem, "leave it out")
    _check_no_foreign_seed(uow, machine)
    _check_image(machine, image)
    host = uow.hosts.get(machine.host_id)
    pool = copy_pool(host, machine.disks[0].pool)
    if pool is None:
        wanted = "a storage pool of type dir, fs or netfs must keep the copy of the image"
        raise WrongState("host", host.name, "without such a pool", wanted)
    copy = uow.image_copies.find(host.id, pool, image.sha256)
    return DeployPlan(
        machine,
        host,
        request,
        image,
        machine.disks[0],
        pool,
        copy is not None and copy.complete and copy.volume == copy_volume(image.sha256),
        address_for_reports(uow, ports, machine) is not None,
    )


def _check_state(principal: Principal, machine: Machine) -> None:
    if machine.owner:
        machines.require_owner(principal, machine, "deploy")
    machines.require_unlocked(machine)
    require_deployable(machine)


def _check_no_foreign_seed(uow: UnitOfWork, machine: Machine) -> None:
    """A disk of the user with the name of the seed disk would be overwritten."""
    has_seed = any(disk.name == SEED_DISK for disk in machine.disks)
    if has_seed and uow.deployments.find(machine.system_id) is None:
        problem = "is the name of a disk that was composed with the machine"
        raise InvalidValue("disk", SEED_DISK, problem, "compose a machine without a disk of this name")


def _check_image(machine: Machine, image: DiskImage) -> None:
    root, architecture = machine.disks[0], machine.architecture
    modes = composed_boot_modes(architecture)
    target = DeployTarget(
        machine.hostname, architecture, machine.memory_mib, root.name, root.size_bytes, modes
    )
    refusal = check_deploy(image, target)
    if refusal is not None:
        raise refused(refusal)
