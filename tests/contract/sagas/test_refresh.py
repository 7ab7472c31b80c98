"""Refreshes on both databases: when a host's generation counts up, and many of them at once."""

import itertools
import threading
from dataclasses import replace

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.event_kind import EventKind
from hostloom.model.operation import Operation, OperationState
from hostloom.model.request import ComposeRequest
from hostloom.sagas.worker import Worker
from hostloom.services import hosts, machines
from support.little_world import URIS, LittleWorld


def test_a_refresh_that_finds_nothing_new_keeps_the_generation(world: LittleWorld) -> None:
    there = world.hypervisors.of("kvm1", URIS[0])
    # The first one finds by its address the node that was made of the host.
    hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
    world.run()
    with world.ports.store.begin() as uow:
        before = uow.hosts.find("kvm1")
    assert before is not None
    generations = []
    for free_bytes, memory_mib in ((10**9, before.memory_mib), (10**8, before.memory_mib), (10**8, 1024)):
        world.clock.time += 60
        pools = tuple(replace(each, free_bytes=free_bytes) for each in there.observed.storage_pools)
        there.observed = replace(there.observed, storage_pools=pools, memory_mib=memory_mib)
        hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
        assert world.run().state is OperationState.SUCCEEDED
        with world.ports.store.begin() as uow:
            snapshot = uow.snapshot()
            host = uow.hosts.get(before.id)
        assert snapshot.host_by_id[before.id].host == host
        assert (host.facts_at, host.memory_mib) == (world.clock.time, memory_mib)
        assert {pool.free_bytes for pool in host.storage_pools} == {free_bytes}
        generations.append(host.generation - before.generation)
    assert generations == [0, 0, 1]


def test_memory_that_varies_a_little_is_not_drift_until_it_adds_up(world: LittleWorld) -> None:
    there = world.hypervisors.of("kvm1", URIS[0])
    there.observed = replace(there.observed, memory_mib=100_000)
    recorded = []
    for memory_mib in (100_000, 99_500, 99_000, 100_900, 98_999, 99_900, 100_000):
        there.observed = replace(there.observed, memory_mib=memory_mib)
        hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
        assert world.run().state is OperationState.SUCCEEDED
        with world.ports.store.begin() as uow:
            host = uow.hosts.find("kvm1")
            reports = [
                event.message for event in reversed(uow.events.list()) if event.kind is EventKind.DRIFT
            ]
        assert host is not None
        recorded.append((host.memory_mib, host.generation))
    first = recorded[1][1]
    assert recorded[1:] == [
        (100_000, first),
        (100_000, first),
        (100_000, first),
        (98_999, first + 1),
        (98_999, first + 1),
        (100_000, first + 2),
    ]
    assert [text.partition("memory: ")[2] for text in reports[-2:]] == [
        "100000 MiB is now 98999 MiB",
        "98999 MiB is now 100000 MiB",
    ]


def test_many_composes_at_once_on_a_host_that_changes(world: LittleWorld) -> None:
    """Every refresh finds something new on the host, and no refresh fails because another has recorded it."""
    there = world.hypervisors.of("kvm1", URIS[0])
    sizes = itertools.count(65536, 8192)

    def grow(method: str) -> None:
        if method == "describe":
            there.observed = replace(there.observed, memory_mib=next(sizes))

    there.before_call = grow
    for number in range(12):
        request = ComposeRequest(interfaces="eth0:space=mgmt", hostname=f"vm{number}", memory_mib=256)
        machines.compose(world.ports, LOCAL_ADMIN, request)
    ended: list[Operation] = []

    def work(name: str) -> None:
        while (operation := Worker(world.ports, name, threads=0).run_one()) is not None:
            ended.append(operation)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.error for each in ended] == [""] * 12
