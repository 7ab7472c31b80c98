"""The five proofs that every saga gives: it succeeds, unwinds, repeats, and survives a crash anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.operation import Operation, OperationState
from hostloom.ports.context import Ports
from hostloom.ports.store import Store, UnitOfWork
from hostloom.sagas import worker
from hostloom.sagas.runner import Runner
from hostloom.sagas.saga import Run, Saga, Step
from hostloom.sagas.worker import LEASE_S
from support.little_world import LittleWorld


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Proof:
    """One saga on one world, and how to begin it."""

    world: LittleWorld
    saga: Saga[Any]
    begin: Callable[[LittleWorld], Operation]

    def claim(self, owner: str = "proof") -> Operation:
        """Take the operation, as a worker does."""
        with self.world.ports.store.begin() as uow:
            operation = uow.operations.claim(owner, self.world.clock.now(), LEASE_S)
            uow.commit()
        assert operation is not None
        return operation

    def run(self, saga: Saga[Any], ports: Ports | None = None) -> Operation:
        """Claim and run with a changed table of steps."""
        return Runner(ports or self.world.ports, saga, self.claim(), lambda _: None).run()


def changed(saga: Saga[Any], name: str, change: Callable[[Step[Any, Any]], Step[Any, Any]]) -> Saga[Any]:
    """The saga with one step replaced."""
    return replace(saga, steps=tuple(change(step) if step.name == name else step for step in saga.steps))


def failing(step: Step[Any, Any]) -> Step[Any, Any]:
    """The step does what it does, and then fails."""

    def rows(run: Run[Any], uow: UnitOfWork) -> Any:
        if step.rows is not None:
            step.rows(run, uow)
        raise HypervisorRejected("kvm", step.name, "told to fail")

    def do(run: Run[Any]) -> Any:
        if step.do is not None:
            step.do(run)
        raise HypervisorRejected("kvm", step.name, "told to fail")

    return replace(step, rows=rows) if step.do is None else replace(step, do=do)


def twice(step: Step[Any, Any]) -> Step[Any, Any]:
    """Every effect and every undo twice; rows are committed with the step's record, so once is once."""

    def doubled(function: Callable[..., Any] | None) -> Callable[..., Any] | None:
        if function is None:
            return None

        def both(*arguments: Any) -> Any:
            function(*arguments)
            return function(*arguments)

        return both

    return replace(
        step,
        do=doubled(step.do),
        undo_rows=doubled(step.undo_rows),
        undo=doubled(step.undo),
    )


def effects(saga: Saga[Any]) -> int:
    """Steps that do something: each begins with a transaction, which rows alone share with the next."""
    return sum(step.do is not None for step in saga.steps)


def prove_succeeds(proof: Proof) -> None:
    proof.begin(proof.world)
    operation = proof.run(proof.saga)
    assert operation.state is OperationState.SUCCEEDED, operation.error


def prove_unwinds_from(proof: Proof, step: str) -> None:
    """Failing in this step leaves the world as it was; past the point of no return it is stuck instead."""
    before = proof.world.state()
    proof.begin(proof.world)
    operation = proof.run(changed(proof.saga, step, failing))
    names = [each.name for each in proof.saga.steps]
    forward = [each.name for each in proof.saga.steps if each.forward_only]
    if forward and names.index(step) >= names.index(forward[0]):
        assert operation.state is OperationState.STUCK
        with proof.world.ports.store.begin() as uow:
            uow.operations.retry(operation.id)
            uow.commit()
        assert proof.run(proof.saga).state is OperationState.SUCCEEDED
        return
    assert operation.state is OperationState.FAILED, operation
    assert "told to fail" in operation.error
    assert proof.world.state() == before


def prove_every_do_twice(proof: Proof) -> None:
    proof.begin(proof.world)
    saga = proof.saga
    for step in proof.saga.steps:
        saga = changed(saga, step.name, twice)
    assert proof.run(saga).state is OperationState.SUCCEEDED


def prove_every_undo_twice(proof: Proof, last: str) -> None:
    before = proof.world.state()
    proof.begin(proof.world)
    saga = changed(proof.saga, last, failing)
    for step in proof.saga.steps:
        if step.name != last:
            saga = changed(saga, step.name, twice)
    assert proof.run(saga).state is OperationState.FAILED
    assert proof.world.state() == before


class CrashingStore:
    """A store whose process dies right after the given number of commits."""

    def __init__(self, store: Store, commits: int) -> None:
        self._store, self.left = store, commits

    def begin(self) -> Any:
        uow = self._store.begin()
        commit = uow.commit

        def counted() -> None:
            commit()
            self.left -= 1
            if self.left == 0:
                raise Crash

        uow.commit = counted  # type: ignore[method-assign]
        return uow

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def prove_resumes_after_write(proof: Proof, commits: int) -> bool:
    """Die after so many commits, and let another process go on; False when it ended before dying."""
    proof.begin(proof.world)
    operation = proof.claim("first")
    dying = replace(proof.world.ports, store=CrashingStore(proof.world.ports.store, commits))
    try:
        Runner(dying, proof.saga, operation, lambda _: None).run()
    except Crash:
        pass
    else:
        return False
    with proof.world.ports.store.begin() as uow:
        if uow.operations.get(operation.id).state is OperationState.SUCCEEDED:
            return True  # it died right after its last word
    proof.world.clock.time += LEASE_S + 1
    taken = proof.claim("second")
    assert taken.fence > operation.fence
    ended = Runner(proof.world.ports, worker.SAGAS[taken.saga], taken, lambda _: None).run()
    assert ended.state is OperationState.SUCCEEDED, ended
    return True
