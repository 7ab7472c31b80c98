"""Deployments and copies of disk images in the store."""

from dataclasses import replace

from hostloom.model.deployment import Deployment, DeployStep, ImageCopy, KvmOptions, copy_volume
from hostloom.model.ids import HostId, SystemId
from hostloom.ports.store import Reservation, Store
from support.disk_images import a_disk_image
from support.stored import EXPLANATION, a_plan, store_world

SHA256 = "a" * 64
EVERYTHING = Deployment(
    system_id=SystemId("sys001"),
    image="debian-12",
    image_sha256=SHA256,
    started_at=1_800_000_000.5,
    instance_id="i-1",
    user="ann",
    ssh_keys=("ssh-ed25519 AAAA ann",),
    user_data="#cloud-config\n",
    kvm=KvmOptions(bridges=("eth0",), mtu=9000),
    disk="sda",
    step=DeployStep.WRITE,
    done_bytes=2**40,
    total_bytes=2**41,
    token_sha256="b" * 64,
    deadline=1_800_000_100.0,
    host_keys=("ssh-ed25519 BBBB",),
    failure="it did not start",
    boot_output="…\n",
)
BARE = Deployment(SystemId("sys001"), "rocky-9", "c" * 64, 1_800_000_000.0)


def _compose(store: Store) -> SystemId:
    world = store_world(store)
    plan = a_plan(world, 1)
    with store.begin() as uow:
        (machine,) = uow.reserve([Reservation(plan, EXPLANATION)])
        uow.commit()
    return machine.system_id


def test_a_deployment_is_read_as_stored_and_replaces_the_previous_one(store: Store) -> None:
    key = _compose(store)
    everything, bare = replace(EVERYTHING, system_id=key), replace(BARE, system_id=key)
    with store.begin() as uow:
        for deployment in (bare, everything):
            uow.deployments.put(deployment)
            uow.commit()
            assert uow.deployments.find(key) == deployment
        assert uow.deployments.of([key, SystemId("nobody")]) == {key: everything}
        assert uow.deployments.find_by_token("b" * 64) == everything
        assert uow.deployments.find_by_token("") is None
        assert uow.deployments.with_image(SHA256) == [everything]
        assert uow.deployments.with_image("c" * 64) == []


def test_a_deployment_is_overdue_from_its_deadline_until_it_has_finished(store: Store) -> None:
    key, deadline = _compose(store), 1_800_000_100.0
    deployment = replace(EVERYTHING, system_id=key)
    with store.begin() as uow:
        uow.deployments.put(deployment)
        assert uow.deployments.overdue(deadline - 1) == []
        assert uow.deployments.overdue(deadline) == [deployment]
        uow.deployments.put(replace(deployment, finished_at=deadline))
        assert uow.deployments.overdue(deadline + 1) == []
        uow.deployments.put(replace(BARE, system_id=key))
        assert uow.deployments.overdue(deadline + 1) == []


def test_a_deployment_goes_with_its_machine(store: Store) -> None:
    key = _compose(store)
    with store.begin() as uow:
        uow.deployments.put(replace(EVERYTHING, system_id=key))
        uow.release([key])
        uow.commit()
        assert uow.deployments.find(key) is None
        uow.deployments.delete(key)


def test_a_pool_has_one_copy_of_an_image(store: Store) -> None:
    host = store_world(store).host
    begun = ImageCopy(HostId(host.id), "default", SHA256, copy_volume(SHA256), operation_id="1")
    finished = replace(begun, complete=True, operation_id="2")
    other = replace(begun, pool="fast")
    with store.begin() as uow:
        for copy in (begun, other, finished):
            uow.image_copies.put(copy)
        uow.commit()
        assert uow.image_copies.find(host.id, "default", SHA256) == finished
        assert uow.image_copies.find(host.id, "default", "c" * 64) is None
        assert uow.image_copies.of_image(SHA256) == [finished, other]
        uow.image_copies.delete(finished)
        uow.image_copies.delete(finished)
        assert uow.image_copies.of_image(SHA256) == [other]


def test_copies_of_no_image_are_found(store: Store) -> None:
    host = store_world(store).host
    old = ImageCopy(HostId(host.id), "default", SHA256, copy_volume(SHA256), complete=True)
    current = replace(old, sha256="d" * 64)
    with store.begin() as uow:
        uow.disk_images.add(a_disk_image(sha256=current.sha256))
        for copy in (old, current):
            uow.image_copies.put(copy)
        assert uow.image_copies.of_no_image() == [old]
