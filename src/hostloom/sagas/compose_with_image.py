"""Compose with an image: the first disk is cloned from it, and a seed disk configures the system."""

from collections.abc import Iterator
from dataclasses import replace

from hostloom.model.deployment import SEED_DISK, ImageCopy
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.resources import NotFound
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine
from hostloom.model.request import ParsedRequest
from hostloom.ports.hypervisor import Hypervisor
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import record_start
from hostloom.sagas.compose import COMPOSE, commit, delete_volumes, on_hosts
from hostloom.sagas.image_copies import UploadProgress, ensure_copy, place_of
from hostloom.sagas.placement import ComposeInput, read_placed
from hostloom.sagas.saga import Run, Saga, Step, for_each_host
from hostloom.sagas.seeds import begin_deployment, build_seed, report_addresses, seed_disk_of


def _requests(run: Run[ComposeInput]) -> dict[SystemId, ParsedRequest]:
    pairs = zip(run.input.identities, run.input.batch.machines, strict=True)
    return {identities.system_id: request for identities, request in pairs}


def _images(run: Run[ComposeInput]) -> dict[SystemId, DiskImage]:
    """The images of the machines that get one."""
    return {key: request.image for key, request in _requests(run).items() if request.image is not None}


def _record(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Record the deployments; tokens are derived, so that only their hashes are stored."""
    requests, address_of = _requests(run), report_addresses(uow, run.ports)
    for machine, _ in run.once(read_placed):
        request = requests[machine.system_id]
        if request.deploy is None or request.image is None:
            continue
        reports = address_of(machine) is not None
        deployment = begin_deployment(run, machine, request.deploy, request.image, reports=reports)
        uow.deployments.put(deployment)


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
    requests = _requests(run)
    for key, deployment in uow.deployments.of(list(_images(run))).items():
        owner = requests[key].owner or run.operation.requested_by
        record_start(uow, run.ports, replace(uow.machines.get(key), owner=owner), deployment)


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
