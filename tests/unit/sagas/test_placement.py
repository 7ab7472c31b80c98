"""A compose decides on hosts that were just read: once more only where the decision may be another one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import SpaceId
from hostloom.model.network import Space
from hostloom.model.operation import OperationState
from hostloom.model.request import ComposeRequest
from hostloom.sagas import decisions as deciding
from hostloom.sagas import placement
from hostloom.sagas.placement import read_input
from hostloom.services import machines
from support.little_world import URIS, LittleWorld, little_world

GB = 10**9


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    return little_world(tmp_path)


def begin(world: LittleWorld) -> str:
    """A compose that the service has taken on; the host that it chose."""
    request = ComposeRequest(hostname="web", storage="root:8")
    (host,) = read_input(machines.compose(world.ports, LOCAL_ADMIN, request)).hosts
    return host


def run(world: LittleWorld, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """How often the saga decides, and the host that the machine is on."""
    decided: list[Any] = []

    def counted(*arguments: Any) -> Any:
        decided.append(arguments)
        return deciding.decide_batch(*arguments)

    monkeypatch.setattr(placement, "decide_batch", counted)
    operation = world.run()
    assert operation.state is OperationState.SUCCEEDED, operation.error
    with world.ports.store.begin() as uow:
        machine = uow.machines.find("web")
        assert machine is not None
        assert machine.host_id is not None
        return len(decided), uow.hosts.get(machine.host_id).name


def change(world: LittleWorld, host: str, alter: Callable[[Any], Any]) -> None:
    """The host is found to be another one when it is read again."""
    hypervisor = world.hypervisors.of(host, URIS[int(host[-1]) - 1])
    hypervisor.observed = alter(hypervisor.observed)


def with_free(observed: Any, free_bytes: int) -> Any:
    (pool,) = observed.storage_pools
    return replace(observed, storage_pools=(replace(pool, free_bytes=free_bytes),))


def test_a_host_that_is_as_it_was_is_decided_on_once(
    world: LittleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = begin(world)
    assert run(world, monkeypatch) == (1, host)


def test_room_that_is_still_enough_changes_no_decision(
    world: LittleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = begin(world)
    change(world, host, lambda observed: with_free(observed, 9 * GB))
    assert run(world, monkeypatch) == (1, host)


@pytest.mark.parametrize(
    "alter",
    [
        lambda observed: with_free(observed, 7 * GB),
        lambda observed: replace(observed, cores=0),
        lambda observed: replace(observed, memory_mib=1),
    ],
)
def test_a_host_that_has_changed_is_left_for_another_that_is_read_too(
    world: LittleWorld, monkeypatch: pytest.MonkeyPatch, alter: Callable[[Any], Any]
) -> None:
    host = begin(world)
    change(world, host, alter)
    decisions, other = run(world, monkeypatch)
    assert other != host
    assert decisions > 1


def test_a_world_that_others_have_changed_is_decided_on_again(
    world: LittleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = begin(world)
    with world.ports.store.begin() as uow:
        uow.spaces.add(Space(SpaceId(0), "dmz"))
        uow.commit()
    decisions, now = run(world, monkeypatch)
    assert now == host
    assert decisions > 1
