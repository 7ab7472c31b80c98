"""A saga moves its machine on in one statement, whoever else touches it meanwhile."""

from dataclasses import replace

import pytest

from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineState, PowerState
from hostloom.ports.store import Reservation, Store
from hostloom.store.engine import DatabaseStore
from support.statements import counted_statements
from support.stored import EXPLANATION, a_plan, store_world

KEY = SystemId("m00001")


@pytest.fixture
def reserved(store: Store) -> Store:
    world = store_world(store)
    with store.begin() as uow:
        uow.reserve([Reservation(a_plan(world, 1, revision=uow.snapshot().revision), EXPLANATION)])
        uow.commit()
    return store


def test_what_is_given_is_written_and_nothing_else(reserved: Store) -> None:
    assert isinstance(reserved, DatabaseStore)
    with reserved.begin() as uow:
        before = uow.machines.get(KEY)
        changed = uow.machines.update(replace(before, tags=("blue",)))
        with counted_statements(reserved.engine) as seen:
            uow.machines.move([KEY], MachineState.COMMISSIONING, dhcp_published=True)
        assert len(seen) == 1
        published = replace(changed, dhcp_published=True, generation=changed.generation + 1)
        assert uow.machines.get(KEY) == published
        uow.machines.move([KEY], MachineState.COMMISSIONING, state=MachineState.READY, power=PowerState.ON)
        ready = replace(
            published, state=MachineState.READY, power=PowerState.ON, generation=published.generation + 1
        )
        assert uow.machines.get(KEY) == ready


def test_one_in_another_state_or_gone_is_not_moved(reserved: Store) -> None:
    with reserved.begin() as uow:
        with pytest.raises(WrongState, match="is commissioning; it must be ready"):
            uow.machines.move([KEY], MachineState.READY, power=PowerState.ON)
        assert uow.machines.get(KEY).power is PowerState.UNKNOWN
        with pytest.raises(NotFound):
            uow.machines.move([SystemId("m00009")], MachineState.READY, power=PowerState.ON)
