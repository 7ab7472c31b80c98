"""A dead server's operations are taken over, on both databases; the dead one's late words change nothing."""

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.server import LeaseLost
from hostloom.model.operation import OperationState
from hostloom.model.request import ComposeRequest
from hostloom.sagas.runner import Runner
from hostloom.sagas.worker import LEASE_S, SAGAS, Worker
from hostloom.services import machines
from support.little_world import LittleWorld


def test_take_over(world: LittleWorld) -> None:
    request = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web")
    begun = machines.compose(world.ports, LOCAL_ADMIN, request)
    with world.ports.store.begin() as uow:
        held = uow.operations.claim("dead", world.clock.now(), LEASE_S)
        uow.commit()
    assert held is not None
    assert Worker(world.ports, "alive", threads=0).run_one() is None, "its lease still holds"
    world.clock.time += LEASE_S + 1
    ended = Worker(world.ports, "alive", threads=0).run_one()
    assert ended is not None
    assert (ended.id, ended.state, ended.owner) == (begun.id, OperationState.SUCCEEDED, "alive")
    with pytest.raises(LeaseLost):
        Runner(world.ports, SAGAS["compose"], held, lambda _: None).run()
    with world.ports.store.begin() as uow:
        assert [each.hostname for each in uow.machines.list()] == ["web"]
