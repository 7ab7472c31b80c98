"""Copies of disk images on hosts: uploaded once for each storage pool, and kept for the next machines."""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any

from hostloom.decide.deploy.copy_pool import copy_pool
from hostloom.model.deployment import ImageCopy, copy_volume
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.outside import DiskImageFailed, HypervisorRejected
from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.server import Cancelled
from hostloom.model.host import Host
from hostloom.model.operation import OperationState
from hostloom.ports.hypervisor import ImageFile
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.saga import LOOK_EVERY_S, Run

_RUNNING = (OperationState.PENDING, OperationState.RUNNING)


class UploadProgress:
    """Sums up the uploads of one step, which run in parallel, and reports them."""

    def __init__(self, run: Run[Any]) -> None:
        self._run, self._lock = run, Lock()
        self._done: dict[ImageCopy, int] = {}
        self._total: dict[ImageCopy, int] = {}

    def of(self, copy: ImageCopy) -> Callable[[int, int | None], None]:
        """Where the upload of one copy reports; Cancelled after a cancellation."""

        def report(done_bytes: int, total_bytes: int | None) -> None:
            with self._lock:
                self._done[copy], self._total[copy] = done_bytes, total_bytes or 0
                self._run.report(sum(self._done.values()), sum(self._total.values()))

        return report


def place_of(host: Host, pool: str, image: DiskImage) -> ImageCopy:
    """The copy from which a disk in this pool is made; HypervisorRejected if the host can keep none."""
    name = copy_pool(host, pool)
    if name is None:
        raise HypervisorRejected(host.name, f"copy image {image.name}", "no storage pool keeps files")
    return ImageCopy(host.id, name, image.sha256, copy_volume(image.sha256))


def ensure_copy(
    run: Run[Any], host: Host, place: ImageCopy, image: DiskImage, progress: UploadProgress
) -> None:
    """Upload the image unless the copy is complete; wait if another operation uploads it."""
    volumes = run.ports.hypervisors.of(host.name, host.uri).volumes
    while True:
        copy, is_ours = _claim(run, place)
        if copy.complete and volumes.has_image(copy):
            return
        if is_ours:
            break
        if copy.complete:
            _forget(run, copy)
            continue
        if run.wants_cancel():
            raise Cancelled("cancelled")
        time.sleep(LOOK_EVERY_S)
    if run.ports.disk_images is None:
        raise DiskImageFailed(image.name, "this server keeps no disk images")
    file = ImageFile(run.ports.disk_images.disk(image.sha256), image.virtual_size_bytes)
    volumes.upload_image(copy, file, progress.of(copy))
    with run.ports.store.begin() as uow:
        uow.image_copies.put(replace(copy, complete=True))
        uow.commit()


def _claim(run: Run[Any], place: ImageCopy) -> tuple[ImageCopy, bool]:
    """The recorded copy, and whether this operation has to upload it."""
    with run.ports.store.begin() as uow:
        uow.lock_world()
        copy = uow.image_copies.find(place.host_id, place.pool, place.sha256)
        if copy is not None and (copy.complete or _is_uploading(uow, copy, run)):
            return copy, False
        copy = replace(place, operation_id=run.operation.id)
        uow.image_copies.put(copy)
        uow.commit()
        return copy, True


def _is_uploading(uow: UnitOfWork, copy: ImageCopy, run: Run[Any]) -> bool:
    """Whether another operation is uploading it."""
    if copy.operation_id == run.operation.id:
        return False
    try:
        return uow.operations.get(copy.operation_id).state in _RUNNING
    except NotFound:
        return False


def _forget(run: Run[Any], copy: ImageCopy) -> None:
    """The volume was deleted on the host."""
    with run.ports.store.begin() as uow:
        uow.image_copies.delete(copy)
        uow.commit()
