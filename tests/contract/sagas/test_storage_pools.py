"""Tags of storage pools: set by the operator, kept by every refresh, asked for by disks."""

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.values import InvalidValue
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.services import hosts, plans, storage_pools
from support.little_world import LittleWorld


def tags(world: LittleWorld, host: str = "kvm1") -> dict[str, tuple[str, ...]]:
    with world.ports.store.begin() as uow:
        return {pool.name: pool.tags for _, pool in storage_pools.list_(uow, LOCAL_ADMIN, host)}


def update(
    world: LittleWorld, name: str, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
) -> tuple[str, ...]:
    with world.ports.store.begin() as uow:
        _, pool = storage_pools.update(uow, LOCAL_ADMIN, "kvm1", name, add, remove)
        uow.commit()
    return pool.tags


def test_tags_are_added_and_removed_and_stay_through_a_refresh(world: LittleWorld) -> None:
    name = next(iter(tags(world)))
    assert update(world, name, ("ssd", "fast")) == ("ssd", "fast")
    assert update(world, name, ("mirrored",), ("fast", "never-there")) == ("ssd", "mirrored")
    hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
    world.run()
    assert tags(world)[name] == ("ssd", "mirrored")
    assert update(world, name, remove=("ssd", "mirrored")) == ()


def test_a_disk_goes_to_the_pool_with_the_tag(world: LittleWorld) -> None:
    name = next(iter(tags(world)))
    update(world, name, ("ssd",))
    request = ComposeRequest(interfaces="eth0:space=mgmt", storage="root:1(ssd)", hostname="db")
    planned = plans.make(world.ports, LOCAL_ADMIN, ComposeBatch((request,)))
    assert [disk.pool for disk in planned.decision.plans[0].disks] == [name]
    assert planned.decision.plans[0].host_name == "kvm1"


def test_mistakes_are_named_and_change_nothing(world: LittleWorld) -> None:
    name = next(iter(tags(world)))
    with pytest.raises(InvalidValue, match="add_tags"):
        update(world, name, ("two words",))
    with pytest.raises(InvalidValue, match="remove_tags"):
        update(world, name, ("ssd",), ("ssd",))
    with pytest.raises(NotFound, match="storage pool"):
        update(world, "no-such-pool", ("ssd",))
    with pytest.raises(NotFound):
        tags(world, "no-such-host")
    assert tags(world)[name] == ()
