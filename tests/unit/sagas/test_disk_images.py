"""Disk images in a whole hostloom on fakes: how many imports run, and what is swept away."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN, Principal
from hostloom.model.deployment import Deployment, ImageCopy, copy_volume
from hostloom.model.errors.permissions import NotPermitted
from hostloom.model.errors.resources import AlreadyExists, InUse
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.image import Flavour
from hostloom.model.node import Node, NodeKind
from hostloom.model.operation import Operation, OperationState
from hostloom.ports.hypervisor import ImageFile
from hostloom.reconcilers.disk_images import KEEP_UPLOADS_S, sweep_disk_images
from hostloom.services import disk_builds, disk_images
from support.disk_images import a_disk
from support.little_world import LittleWorld, little_world

USER = Principal("ann", admin=False)


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    return little_world(tmp_path)


def begin(world: LittleWorld, name: str, content: bytes | None = None, *, replace: bool = False) -> Operation:
    url = f"https://images.example/{name}"
    world.disks.web[url] = a_disk(name) if content is None else content
    request = disk_images.DiskImageInput(name=name, url=url, replace=replace)
    return disk_images.import_(world.ports, LOCAL_ADMIN, request)


def test_three_imports_may_run_at_a_time_and_one_for_each_name(world: LittleWorld) -> None:
    begin(world, "a")
    with pytest.raises(AlreadyExists, match="disk image 'a' is being imported"):
        begin(world, "a")
    begin(world, "b")
    begin(world, "c")
    with pytest.raises(InvalidValue, match="'d' would be more than 3 imports at a time"):
        begin(world, "d")
    assert world.run().state is OperationState.SUCCEEDED
    begin(world, "d")


def test_the_same_disk_under_another_name_fails_and_the_first_stays(world: LittleWorld) -> None:
    begin(world, "a")
    assert world.run().state is OperationState.SUCCEEDED
    before = world.state()
    begin(world, "b", a_disk("a"))
    ended = world.run()
    assert "disk image 'a' has the same content already" in ended.error
    assert (ended.state, world.state()) == (OperationState.FAILED, before)


def test_an_image_and_its_files_are_deleted_with_an_event(world: LittleWorld) -> None:
    before = world.state()
    begin(world, "a")
    world.run()
    disk_images.delete(world.ports, LOCAL_ADMIN, "a")
    assert world.state() == before
    with world.ports.store.begin() as uow:
        kinds = [event.kind for event in uow.events.list(subject="image a")]
    assert kinds == [EventKind.IMAGE_DELETED, EventKind.IMAGE_IMPORTED]


def test_only_administrators_import_and_delete(world: LittleWorld) -> None:
    begin(world, "a")
    world.run()
    with pytest.raises(NotPermitted):
        disk_images.expect_upload(world.ports, USER, disk_images.UploadInput(1))
    with pytest.raises(NotPermitted):
        disk_images.receive(world.ports, USER, "b")
    with pytest.raises(NotPermitted):
        disk_images.import_(world.ports, USER, disk_images.DiskImageInput(name="b", url="https://x/"))
    with pytest.raises(NotPermitted):
        disk_images.delete(world.ports, USER, "a")
    with world.ports.store.begin() as uow:
        assert disk_images.get(uow, USER, "a").name == "a"


def test_files_that_nothing_needs_are_swept_away(world: LittleWorld) -> None:
    begin(world, "a")
    world.run()
    before = world.disks.state()
    world.disks.put("f" * 64)
    world.disks.begin_work("gone")
    sweep_disk_images(world.ports)
    assert world.disks.state() == before


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_replaced_disk_stays_while_a_machine_is_deployed_from_it(
    world: LittleWorld, is_finished: bool
) -> None:
    begin(world, "a")
    world.run()
    with world.ports.store.begin() as uow:
        old = disk_images.get(uow, USER, "a").sha256
        node = uow.nodes.add(Node(SystemId("m00001"), "web", NodeKind.MACHINE))
        deployment = Deployment(node.system_id, "a", old, 1.0, finished_at=2.0 if is_finished else None)
        uow.deployments.put(deployment)
        uow.commit()
    with pytest.raises(InUse, match="disk image 'a' is in use by machine web"):
        disk_images.delete(world.ports, LOCAL_ADMIN, "a")
    begin(world, "a", a_disk("newer"), replace=True)
    assert world.run().state is OperationState.SUCCEEDED
    sweep_disk_images(world.ports)
    assert (old in world.disks.list()) is not is_finished
    with world.ports.store.begin() as uow:
        uow.deployments.put(replace(deployment, finished_at=3.0))
        uow.commit()
    sweep_disk_images(world.ports)
    assert old not in world.disks.list()


def test_copies_on_hosts_go_with_their_image_when_the_host_answers(world: LittleWorld) -> None:
    begin(world, "a")
    world.run()
    with world.ports.store.begin() as uow:
        image, host = disk_images.get(uow, USER, "a"), uow.hosts.list()[0]
        copy = ImageCopy(host.id, "default", image.sha256, copy_volume(image.sha256), complete=True)
        uow.image_copies.put(copy)
        uow.commit()
    hypervisor = world.hypervisors.of(host.name, host.uri)
    file = ImageFile(world.disks.disk(image.sha256), image.virtual_size_bytes)
    hypervisor.volumes.upload_image(copy, file, lambda _done, _total: None)
    sweep_disk_images(world.ports)
    assert hypervisor.volumes.has_image(copy)
    disk_images.delete(world.ports, LOCAL_ADMIN, "a")
    hypervisor.unreachable = True
    sweep_disk_images(world.ports)
    hypervisor.unreachable = False
    assert hypervisor.volumes.has_image(copy)
    sweep_disk_images(world.ports)
    assert not hypervisor.volumes.has_image(copy)
    with world.ports.store.begin() as uow:
        assert uow.image_copies.of_no_image() == []


def test_while_an_import_runs_its_files_stay(world: LittleWorld) -> None:
    operation = begin(world, "a")
    world.disks.put("f" * 64)
    world.disks.begin_work(operation.id)
    before = world.disks.state()
    sweep_disk_images(world.ports)
    assert world.disks.state() == before


@pytest.mark.parametrize(("age_s", "is_kept"), [(KEEP_UPLOADS_S - 60, True), (KEEP_UPLOADS_S + 60, False)])
def test_an_upload_that_no_import_uses_goes_after_a_day(
    world: LittleWorld, tmp_path: Path, age_s: float, is_kept: bool
) -> None:
    expected = disk_images.expect_upload(world.ports, LOCAL_ADMIN, disk_images.UploadInput(512))
    receiver = disk_images.receive(world.ports, LOCAL_ADMIN, expected)
    receiver.write(a_disk())
    upload = receiver.finish().id
    arrived_at = world.clock.time - age_s
    (path,) = tmp_path.rglob(upload)
    os.utime(path, (arrived_at, arrived_at))
    sweep_disk_images(world.ports)
    assert (upload in world.disks.uploads()) is is_kept


def test_a_build_ends_as_an_image_with_its_recipe_as_source(world: LittleWorld) -> None:
    wanted = disk_builds.DiskBuildInput("debian-12", kvm=True, packages=("tcpdump", "strace"))
    disk_builds.build(world.ports, LOCAL_ADMIN, wanted)
    assert world.run().state is OperationState.SUCCEEDED
    with world.ports.store.begin() as uow:
        image = disk_images.get(uow, LOCAL_ADMIN, "debian-12-kvm")
        events = [(event.kind, event.message) for event in uow.events.list(subject="image debian-12-kvm")]
    assert (image.title, image.source, image.source_sha256) == (
        "Debian 12 (bookworm)",
        "recipe debian-12-kvm",
        "",
    )
    assert events == [(EventKind.IMAGE_IMPORTED, "was built from recipe debian-12-kvm")]
    assert world.disks.unfinished() == []


def test_a_build_and_an_import_of_one_name_exclude_each_other(world: LittleWorld) -> None:
    disk_builds.build(world.ports, LOCAL_ADMIN, disk_builds.DiskBuildInput("debian-12"))
    with pytest.raises(AlreadyExists, match="disk image 'debian-12' is being imported or built"):
        begin(world, "debian-12")
    world.run()
    with pytest.raises(AlreadyExists, match="`replace` gives it the new content"):
        disk_builds.build(world.ports, LOCAL_ADMIN, disk_builds.DiskBuildInput("debian-12"))


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (disk_builds.DiskBuildInput("debian-1"), "recipe"),
        (disk_builds.DiskBuildInput("debian-12", ovs=True), "ovs"),
        (disk_builds.DiskBuildInput("debian-12", Flavour.VIRTUAL, kvm=True), "flavour"),
        (disk_builds.DiskBuildInput("debian-12", mirror="file:///etc"), "mirror"),
        (disk_builds.DiskBuildInput("debian-12", security_mirror="debian"), "security_mirror"),
        (disk_builds.DiskBuildInput("debian-12", packages=("--option",)), "packages"),
        (disk_builds.DiskBuildInput("debian-12", packages=("a,b",)), "packages"),
        (disk_builds.DiskBuildInput("debian-12", packages=("name",) * 101), "packages"),
        (disk_builds.DiskBuildInput("debian-12", name="Debian"), "name"),
        (disk_builds.DiskBuildInput("debian-12", title="x" * 201), "title"),
    ],
)
def test_a_build_that_cannot_be_is_refused_and_names_the_field(
    world: LittleWorld, wanted: disk_builds.DiskBuildInput, field: str
) -> None:
    before = world.state()
    with pytest.raises(InvalidValue) as caught:
        disk_builds.build(world.ports, LOCAL_ADMIN, wanted)
    assert (caught.value.field, world.state()) == (field, before)


def test_users_build_nothing(world: LittleWorld) -> None:
    with pytest.raises(NotPermitted):
        disk_builds.build(world.ports, USER, disk_builds.DiskBuildInput("debian-12"))
