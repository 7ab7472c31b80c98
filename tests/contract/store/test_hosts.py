"""A reading of a host is seen at once, and makes a new generation only where plans and users can tell."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.host import Host, LibvirtNetwork
from hostloom.ports.store import Store
from support.stored import store_world


def free(host: Host, free_bytes: int) -> Host:
    return replace(
        host, storage_pools=tuple(replace(each, free_bytes=free_bytes) for each in host.storage_pools)
    )


def test_what_every_reading_changes_is_seen_at_once_and_keeps_the_generation(store: Store) -> None:
    host = store_world(store).host
    with store.begin() as uow:
        revision = uow.snapshot().revision
        seen = uow.hosts.record_facts(host, free(replace(host, facts_at=5.0), 7))
        uow.commit()
    assert seen.generation == host.generation
    with store.begin() as uow:
        assert uow.hosts.get(host.id) == seen
        assert uow.snapshot().host_by_id[host.id].host == seen
        assert uow.snapshot().revision == revision + 1


CHANGES: dict[str, Callable[[Host], Host]] = {
    "memory": lambda host: replace(host, memory_mib=1),
    "reachable": lambda host: replace(host, reachable=False, unreachable_cause="it is off"),
    "networks": lambda host: replace(host, libvirt_networks=(LibvirtNetwork("maas", True, "br0", False),)),
    "a pool is smaller": lambda host: replace(
        host, storage_pools=(replace(host.storage_pools[0], total_bytes=9, free_bytes=9),)
    ),
    "a pool is gone": lambda host: replace(host, storage_pools=()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_anything_else_is_a_new_generation(store: Store, change: Callable[[Host], Host]) -> None:
    host = store_world(store).host
    with store.begin() as uow:
        seen = uow.hosts.record_facts(host, replace(change(host), facts_at=5.0))
        assert seen.generation == host.generation + 1
        assert uow.hosts.get(host.id) == seen


def test_a_reading_of_what_has_changed_meanwhile_is_not_written(store: Store) -> None:
    host = store_world(store).host
    with store.begin() as uow:
        current = uow.hosts.update(replace(host, tags=("blue",)))
        for seen in (free(host, 7), replace(host, cores=1)):
            with pytest.raises(
                StaleGeneration, match="has changed since generation 1; it has generation 2 now"
            ):
                uow.hosts.record_facts(host, seen)
        assert uow.hosts.get(host.id) == current
