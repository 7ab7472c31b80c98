"""Hosts are read again when their facts are old, including lost hosts."""

import pytest

from hostloom.reconcilers.host_refresher import HostRefresher
from support.little_world import URIS, LittleWorld

EVERY_S = 300.0


@pytest.fixture
def freshness(world: LittleWorld) -> HostRefresher:
    return HostRefresher(world.ports, EVERY_S)


def facts_at(world: LittleWorld) -> float | None:
    with world.ports.store.begin() as uow:
        (host,) = uow.hosts.list()
    return host.facts_at


def told(world: LittleWorld) -> list[str]:
    with world.ports.store.begin() as uow:
        return [each.kind for each in reversed(uow.events.list()) if each.kind in ("host-lost", "host-back")]


def test_only_what_is_old_is_read(world: LittleWorld, freshness: HostRefresher) -> None:
    read_at = facts_at(world)
    world.clock.time += EVERY_S - 1
    freshness.look()
    assert facts_at(world) == read_at
    world.clock.time += 1
    freshness.look()
    assert facts_at(world) == world.clock.time


def test_a_lost_host_is_tried_again_and_reported_when_it_returns(
    world: LittleWorld, freshness: HostRefresher
) -> None:
    hypervisor = world.hypervisors.by_uri[URIS[0]]
    world.clock.time += EVERY_S
    hypervisor.unreachable = True
    freshness.look()
    assert told(world) == ["host-lost"]
    hypervisor.unreachable = False
    freshness.look()
    assert told(world) == ["host-lost"], "it was asked a moment ago"
    world.clock.time += EVERY_S
    freshness.look()
    assert told(world) == ["host-lost", "host-back"]
    assert facts_at(world) == world.clock.time
