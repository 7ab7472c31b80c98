"""Plans: kept for a while, applied by one operation, forgotten by themselves."""

from dataclasses import replace

import pytest

from hostloom.model.errors.resources import InUse, PlanGone
from hostloom.model.errors.stale import PlanTaken
from hostloom.model.operation import Operation, OperationState
from hostloom.model.stored_plan import MAX_PLANS, PLAN_LIFETIME_S, StoredPlan
from hostloom.ports.store import Store, UnitOfWork
from hostloom.store.engine import DatabaseStore
from support.statements import counted_statements

CONTENT = {"plans": [{"host": "kvm1", "ips": ["10.0.0.1"]}], "word": "naïve €"}


def a_plan(number: int = 1, at: float = 1000.0) -> StoredPlan:
    return StoredPlan(
        f"plan-{number:05d}", "machine web", ("kvm1", "kvm2"), at, at + PLAN_LIFETIME_S, "alice", 7
    )


def add(store: Store, *plans: StoredPlan) -> None:
    with store.begin() as uow:
        for each in plans:
            uow.plans.add(each, CONTENT)
        uow.commit()


def applied_by(uow: UnitOfWork, plan: StoredPlan, state: OperationState, number: int = 1) -> Operation:
    operation = Operation(f"op-{number}", "compose", state, "machine web", {})
    uow.operations.add(operation)
    uow.plans.use(plan, operation.id)
    return operation


def test_a_plan_is_read_as_stored(store: Store) -> None:
    add(store, a_plan())
    with store.begin() as uow:
        assert uow.plans.get("plan-00001", 1000.0) == a_plan()
        assert uow.plans.content("plan-00001") == CONTENT
        for look in (uow.plans.content, lambda key: uow.plans.get(key, 1000.0)):
            with pytest.raises(PlanGone, match="plan 'plan-9'"):
                look("plan-9")


def test_keeping_a_plan_takes_two_statements(store: Store) -> None:
    assert isinstance(store, DatabaseStore)
    with store.begin() as uow, counted_statements(store.engine) as seen:
        uow.plans.add(a_plan(), CONTENT)
        uow.commit()
    assert len(seen) == 2


def test_an_expired_plan_is_gone_and_swept_by_the_next(store: Store) -> None:
    add(store, a_plan())
    until = 1000.0 + PLAN_LIFETIME_S
    with store.begin() as uow:
        assert uow.plans.get("plan-00001", until - 0.1)
        with pytest.raises(PlanGone):
            uow.plans.get("plan-00001", until)
        assert uow.plans.list(until) == []
        assert uow.plans.content("plan-00001") == CONTENT
    add(store, a_plan(2, until))
    with store.begin() as uow:
        with pytest.raises(PlanGone):
            uow.plans.content("plan-00001")
        assert uow.plans.list(until) == [a_plan(2, until)]


def test_a_plan_stays_while_an_operation_applies_it(store: Store) -> None:
    add(store, a_plan())
    late = 1000.0 + 2 * PLAN_LIFETIME_S
    with store.begin() as uow:
        running = applied_by(uow, a_plan(), OperationState.RUNNING)
        uow.commit()
    add(store, a_plan(2, late))
    with store.begin() as uow:
        assert uow.plans.get("plan-00001", late) == replace(a_plan(), operation_id="op-1")
        with pytest.raises(InUse, match="operation op-1"):
            uow.plans.delete("plan-00001", late)
        uow.operations.save(replace(running, state=OperationState.SUCCEEDED))
        uow.plans.add(a_plan(3, late), CONTENT)
        with pytest.raises(PlanGone):
            uow.plans.content("plan-00001")


def test_one_operation_applies_a_plan(store: Store) -> None:
    add(store, a_plan())
    with store.begin() as uow:
        applied_by(uow, a_plan(), OperationState.FAILED)
        with pytest.raises(PlanTaken, match="plan 'plan-00001'"):
            uow.plans.use(a_plan(), "op-1")
        again = uow.plans.get("plan-00001", 1000.0)
        applied_by(uow, again, OperationState.PENDING, 2)
        assert uow.plans.get("plan-00001", 1000.0).operation_id == "op-2"


def test_a_plan_can_be_forgotten_once(store: Store) -> None:
    add(store, a_plan())
    with store.begin() as uow:
        uow.plans.delete("plan-00001", 1000.0)
        with pytest.raises(PlanGone):
            uow.plans.delete("plan-00001", 1000.0)


def test_the_newest_are_kept_and_listed_first(store: Store) -> None:
    add(store, *(a_plan(n, 1000.0 + n / 8) for n in range(MAX_PLANS + 3)))
    with store.begin() as uow:
        found = uow.plans.list(1200.0)
        assert len(found) == MAX_PLANS
        assert found[0].id == f"plan-{MAX_PLANS + 2:05d}"
        assert found[-1].id == "plan-00003"
        page = uow.plans.list(1200.0, after=found[9].id, limit=5)
        assert page == found[10:15]
