"""Compose with an image: the first disk is cloned from it, and a seed disk configures the system."""

from collections.abc import Iterator
from dataclasses import replace

from hostloom.model.commissioning import hash_secret
from hostloom.model.deployment import SEED_DISK, Deployment, DeployStep, ImageCopy
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.resources import NotFound
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineState
from hostloom.model.request import ParsedRequest
from hostloom.ports.hypervisor import Hypervisor
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.compose import COMPOSE, commit, delete_volumes, on_hosts
from hostloom.sagas.image_copies import UploadProgress, ensure_copy, place_of
from hostloom.sagas.placement import ComposeInput, read_placed
from hostloom.sagas.saga import Run, Saga, Step, for_each_host
from hostloom.sagas.seeds import address_for_reports, build_seed, report_token, seed_disk_of


def _images(run: Run[ComposeInput]) -> dict[SystemId, DiskImage]:
    """The images of the machines that get one."""
    pairs = zip(run.input.identities, run.input.batch.machines, strict=True)
    return {identities.system_id: request.image for identities, request in pairs if request.image is not None}


def _record(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Record the deployments; the token is derived, so that only its hash is stored."""
    requests = dict(zip((i.system_id for i in run.input.identities), run.input.batch.machines, strict=True))
    now = run.ports.clock.now()
    for machine, _ in run.once(read_placed):
        deployment = _deployment(run, machine, requests[machine.system_id], now)
        if deployment is not None:
            if address_for_reports(uow, run.ports, machine) is not None:
                token = report_token(run.ports, machine, deployment.instance_id)
                deployment = replace(deployment, token_sha256=hash_secret(token))
            uow.deployments.put(deployment)


def _deployment(
    run: Run[ComposeInput], machine: Machine, request: ParsedRequest, now: float
) -> Deployment | None:
    if request.deploy is None or request.image is None:
        return None
    return Deployment(
        system_id=machine.system_id,
        image=request.image.name,
        image_sha256=request.image.sha256,
        started_at=now,
        instance_id=f"{machine.system_id}-{run.operation.id[:8]}",
        user=request.deploy.user or request.image.default_user,
        ssh_keys=request.deploy.ssh_keys,
        user_data=request.deploy.user_data,
        kvm=request.deploy.kvm,
    )


def _delete_records(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    for identities in run.input.identities:
        uow.deployments.delete(identities.system_id)


def _ensure_copies(run: Run[ComposeInput]) -> None:
    """Upload each image once to each pool; the copies stay, also if the compose is undone."""
    images, progress = _images(run), UploadProgress(run)
    places: dict[Host, dict[ImageCopy, DiskImage]] = {}
    for machine, host in run.once(read_placed):
        if (image := images.get(machine.system_id)) is not None:
            places.setdefault(host, {})[place_of(host, machine.disks[0].pool, image)] = image

    def upload(host: Host, copies: Iterator[tuple[ImageCopy, DiskImage]]) -> None:
        for place, image in copies:
            ensure_copy(run, host, place, image, progress)

    for_each_host(run, {host: list(copies.items()) for host, copies in places.items()}, upload)


def _make_volumes(run: Run[ComposeInput]) -> None:
    images = _images(run)

    def make(hypervisor: Hypervisor, host: Host, machine: Machine) -> None:
        image = images.get(machine.system_id)
        for number, disk in enumerate(machine.disks):
            if image is None or (number and disk.name != SEED_DISK):
                hypervisor.volumes.ensure(disk)
            elif not number:
                hypervisor.volumes.clone(disk, place_of(host, disk.pool, image))

    on_hosts(run, make)


def _write_seeds(run: Run[ComposeInput]) -> None:
    images = _images(run)
    with run.ports.store.begin() as uow:
        deployments = uow.deployments.of(list(images))

    def write(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        if machine.system_id not in images:
            return
        if machine.system_id not in deployments:
            raise NotFound("deployment", "", f"machine {machine.hostname!r}")
        content = build_seed(run.ports, machine, deployments[machine.system_id])
        hypervisor.volumes.write(seed_disk_of(machine), content)

    on_hosts(run, write)


def _commit(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Machines that can report are deploying until they do; the others are deployed when they run."""
    commit(run, uow)
    now = run.ports.clock.now()
    deployments = uow.deployments.of(list(_images(run)))
    requests = dict(zip((i.system_id for i in run.input.identities), run.input.batch.machines, strict=True))
    for deployment in deployments.values():
        owner = requests[deployment.system_id].owner
        before = MachineState.ALLOCATED if owner else MachineState.READY
        finish_start(run, uow, deployment, before, owner or run.operation.requested_by, now)


def finish_start(
    run: Run[ComposeInput],
    uow: UnitOfWork,
    deployment: Deployment,
    before: MachineState,
    owner: str,
    now: float,
) -> None:
    """Record that the machine was started with its new system."""
    reports = bool(deployment.token_sha256)
    state = MachineState.DEPLOYING if reports else MachineState.DEPLOYED
    uow.machines.move([deployment.system_id], before, state=state, owner=owner)
    deadline = now + run.ports.settings.deploy_timeout_s
    if reports:
        started = replace(deployment, step=DeployStep.PHONE_HOME, deadline=deadline)
        kind, text = EventKind.MACHINE_DEPLOYING, f"starts image {deployment.image} and reports when it runs"
    else:
        started = replace(deployment, step=DeployStep.BOOT, finished_at=now)
        kind = EventKind.MACHINE_DEPLOYED
        text = f"was started with image {deployment.image}; it cannot report, so this counts as deployed"
    uow.deployments.put(started)
    machine = uow.machines.get(deployment.system_id)
    uow.events.add(Event(kind, machine_subject(machine), text, now))


IMAGE = Step[ComposeInput, None]("image", rows=_record, do=_ensure_copies, undo_rows=_delete_records)
VOLUMES = Step[ComposeInput, None]("volumes", do=_make_volumes, undo=delete_volumes)
SEED = Step[ComposeInput, None]("seed", do=_write_seeds)
COMMIT = Step[ComposeInput, None]("commit", rows=_commit)

_OBSERVE, _RESERVE, _, *_BETWEEN, _ = COMPOSE.steps
COMPOSE_WITH_IMAGE = Saga(
    "compose-with-image",
    ComposeInput,
    (_OBSERVE, _RESERVE, IMAGE, VOLUMES, SEED, *_BETWEEN, COMMIT),
)


#: The names of the sagas that compose machines.
COMPOSES = (COMPOSE.name, COMPOSE_WITH_IMAGE.name)


def saga_of(compose_input: ComposeInput) -> Saga[ComposeInput]:
    """The table of steps for this request."""
    has_image = any(request.deploy is not None for request in compose_input.batch.machines)
    return COMPOSE_WITH_IMAGE if has_image else COMPOSE
