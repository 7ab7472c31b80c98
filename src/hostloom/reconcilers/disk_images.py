"""Deletes what no disk image needs: files of imports that ended, unused uploads, copies on hosts."""

import logging

from hostloom.model.errors.base import DriverError
from hostloom.model.errors.resources import NotFound
from hostloom.model.operation import FINISHED
from hostloom.ports.context import Ports
from hostloom.ports.disk_images import DiskImageFiles, DiskImports
from hostloom.ports.store import UnitOfWork

log = logging.getLogger(__name__)

#: An upload that no import has used for so long is deleted.
KEEP_UPLOADS_S = 24 * 3600.0


def sweep_disk_images(ports: Ports) -> None:
    """Delete what a process left that died between a record and its files."""
    if ports.disk_images is None or ports.disk_imports is None:
        return
    _sweep_uploads(ports.disk_imports, ports.clock.now())
    _sweep_work(ports, ports.disk_imports)
    _sweep_disks(ports, ports.disk_images)
    _sweep_copies(ports)


def _sweep_uploads(imports: DiskImports, now: float) -> None:
    for upload, arrived_at in imports.uploads().items():
        if now - arrived_at > KEEP_UPLOADS_S:
            log.info("the uploaded file %s was not imported within a day and is deleted", upload)
            imports.discard_upload(upload)


def _sweep_work(ports: Ports, imports: DiskImports) -> None:
    """Delete the files of imports that have ended."""
    for work in imports.unfinished():
        with ports.store.begin() as uow:
            is_over = _is_over(uow, work)
        if is_over:
            log.info("files of the import %s are left and deleted", work)
            imports.discard(work)


def _sweep_disks(ports: Ports, files: DiskImageFiles) -> None:
    """Delete disks without a record that no operation and no deployment that is under way may need."""
    stored = files.list()
    with ports.store.begin() as uow:
        if uow.operations.list(limit=1, unfinished=True, with_data=False):
            return
        recorded = {image.sha256 for image in uow.disk_images.list()}
        unrecorded = [sha256 for sha256 in stored if sha256 not in recorded]
        unused = [sha256 for sha256 in unrecorded if not _is_being_deployed(uow, sha256)]
    for sha256 in unused:
        log.info("the disk %s belongs to no image and is deleted", sha256)
        files.delete(sha256)


def _sweep_copies(ports: Ports) -> None:
    """Delete copies on hosts of contents that no image has; a host that does not answer keeps its copies."""
    with ports.store.begin() as uow:
        if uow.operations.list(limit=1, unfinished=True, with_data=False):
            return
        copies = [copy for copy in uow.image_copies.of_no_image() if not _is_being_deployed(uow, copy.sha256)]
        hosts = {host.id: host for host in uow.hosts.list()} if copies else {}
    for copy in copies:
        host = hosts[copy.host_id]
        try:
            ports.hypervisors.of(host.name, host.uri).volumes.delete_image(copy)
        except DriverError as error:
            log.warning("the copy %s of a disk image stays on host %s: %s", copy.volume, host.name, error)
            continue
        with ports.store.begin() as uow:
            uow.image_copies.delete(copy)
            uow.commit()


def _is_being_deployed(uow: UnitOfWork, sha256: str) -> bool:
    return any(deployment.finished_at is None for deployment in uow.deployments.with_image(sha256))


def _is_over(uow: UnitOfWork, operation_id: str) -> bool:
    try:
        return uow.operations.get(operation_id).state in FINISHED
    except NotFound:
        return True
