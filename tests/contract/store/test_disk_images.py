"""Disk images in the store: one row a content and a name."""

from dataclasses import replace

import pytest

from hostloom.model.deployment import Deployment
from hostloom.model.disk_image import BootMode, DiskImage
from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.ids import DiskImageId, SystemId
from hostloom.model.node import Node, NodeKind
from hostloom.model.operation import Operation, OperationState, StepRecord, StepState
from hostloom.ports.store import Store
from support.disk_images import a_disk_image

NOTHING_KNOWN = DiskImage(
    id=DiskImageId(0),
    name="mystery",
    sha256="f" * 64,
    virtual_size_bytes=2**62,
    size_bytes=0,
    stream_sha256="1" * 64,
    stream_size_bytes=1,
    imported_at=1_800_000_000.25,
)


@pytest.mark.parametrize("image", [a_disk_image(), NOTHING_KNOWN])
def test_an_image_is_read_as_stored(store: Store, image: DiskImage) -> None:
    with store.begin() as uow:
        stored = uow.disk_images.add(image)
        uow.commit()
        assert replace(stored, id=image.id) == image
        assert uow.disk_images.get(stored.id) == stored
        assert uow.disk_images.find(image.name) == stored
        assert uow.disk_images.find_by_content(image.sha256) == stored
        assert uow.disk_images.list() == [stored]


def test_an_unknown_image_is_not_found(store: Store) -> None:
    with store.begin() as uow:
        assert uow.disk_images.find("debian-12") is None
        assert uow.disk_images.find_by_content("0" * 64) is None
        with pytest.raises(NotFound, match="there is no disk image 7"):
            uow.disk_images.get(DiskImageId(7))


def test_a_name_and_a_content_are_each_there_once(store: Store) -> None:
    with store.begin() as uow:
        uow.disk_images.add(a_disk_image())
        uow.commit()
    for second in (a_disk_image(sha256="e" * 64), a_disk_image("other")):
        with store.begin() as uow, pytest.raises(AlreadyExists):
            uow.disk_images.add(second)


def test_an_update_counts_the_generation_up_and_a_deleted_image_is_gone(store: Store) -> None:
    with store.begin() as uow:
        stored = uow.disk_images.add(a_disk_image())
        updated = uow.disk_images.update(replace(stored, title="Debian", boot_modes=(BootMode.UEFI,)))
        assert updated.generation == stored.generation + 1
        assert uow.disk_images.get(stored.id) == updated
        with pytest.raises(StaleGeneration):
            uow.disk_images.update(stored)
        uow.disk_images.delete(stored.id)
        assert uow.disk_images.list() == []


def test_an_image_that_machines_are_deployed_from_stays(store: Store) -> None:
    with store.begin() as uow:
        image = uow.disk_images.add(a_disk_image())
        for number in (2, 1):
            node = uow.nodes.add(Node(SystemId(f"m0000{number}"), f"web{number}", NodeKind.MACHINE))
            uow.deployments.put(Deployment(node.system_id, image.name, image.sha256, 1_800_000_000.0))
        with pytest.raises(InUse, match="disk image 'debian-12' is in use by machine web1, machine web2"):
            uow.disk_images.delete(image.id)
        for deployment in uow.deployments.with_image(image.sha256):
            uow.deployments.delete(deployment.system_id)
        uow.disk_images.delete(image.id)


def test_images_are_listed_page_by_page(store: Store) -> None:
    with store.begin() as uow:
        images = [uow.disk_images.add(a_disk_image(f"image-{n}", sha256=f"{n:064x}")) for n in range(4)]
        assert uow.disk_images.list(images[0].id, 2) == images[1:3]


def test_a_step_keeps_how_many_bytes_it_has_processed(store: Store) -> None:
    step = StepRecord("fetch", StepState.RUNNING, done_bytes=2**40, total_bytes=2**41)
    operation = Operation("op", "import-disk-image", OperationState.PENDING, "image a", {}, (step,))
    with store.begin() as uow:
        uow.operations.add(operation)
        assert uow.operations.get("op").steps == (step,)
