"""Plans and batches asked for by several at once, on both databases."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.operation import Operation, OperationState
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.sagas.worker import Worker
from hostloom.services import machines, plans
from hostloom.services.machines import copies
from support.little_world import LittleWorld

T = TypeVar("T")
WEB = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_plan_that_is_composed_by_many_at_once_is_composed_once(world: LittleWorld) -> None:
    stored, content = plans.make_or_refuse(world.ports, LOCAL_ADMIN, ComposeBatch(copies(WEB, 2)))
    begun = at_once([lambda: plans.compose(world.ports, LOCAL_ADMIN, stored.id)] * 6)
    assert len({each.id for each in begun}) == 1
    with world.ports.store.begin() as uow:
        unfinished = uow.operations.list(unfinished=True)
    assert [each.id for each in unfinished] == [begun[0].id]
    assert world.run().state is OperationState.SUCCEEDED
    with world.ports.store.begin() as uow:
        made = uow.machines.some([each.system_id for each in content.identities])
    assert [each.hostname for each in made] == ["web-1", "web-2"]


def test_batches_that_run_at_once_are_each_made_or_not_at_all(world: LittleWorld) -> None:
    """There is memory for two of three machines, which are composed at the same time."""
    wanted = [
        ComposeBatch(copies(ComposeRequest(interfaces="eth0:space=mgmt", memory_mib=6000, hostname=name), 4))
        for name in ("a", "b", "c")
    ]
    for batch in wanted:
        machines.compose_batch(world.ports, LOCAL_ADMIN, batch)

    def work(name: str) -> Callable[[], Operation | None]:
        return lambda: Worker(world.ports, name, threads=0).run_one()

    ended = [each for each in at_once([work("x"), work("y"), work("z")]) if each is not None]
    assert sorted(each.state for each in ended) == ["failed", "succeeded", "succeeded"]
    failed = next(each for each in ended if each.state is OperationState.FAILED)
    assert failed.error_code == "not-enough-memory"
    with world.ports.store.begin() as uow:
        names = {each.hostname for each in uow.machines.list()}
        held = {str(each.ip) for each in uow.addresses.list() if each.system_id is not None}
    made = {name for each in ended if each is not failed for name in _names(each)}
    assert names == made
    assert len(held & world.dhcp.reserved()) == len(made) == 8


def _names(operation: Operation) -> list[str]:
    return [each["hostname"] for each in operation.input["identities"]]
