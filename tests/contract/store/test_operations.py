"""Operations: one runner at a time, fenced, woken when there is work. Events, answers, users and tokens."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hostloom.model.access import Token, User
from hostloom.model.errors.resources import AlreadyExists, NotFound, WrongState
from hostloom.model.errors.server import LeaseLost
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import UserId
from hostloom.model.operation import Operation, OperationState, StepRecord, StepState
from hostloom.ports.operation_records import StoredAnswer
from hostloom.ports.store import Store
from hostloom.store.engine import DatabaseStore, open_store
from support.postgres import PostgresServer
from support.statements import counted_statements

STEPS = (StepRecord("reserve"), StepRecord("volumes"), StepRecord("commit"))


def an_operation(number: int = 1) -> Operation:
    return Operation(
        f"op-{number}",
        "compose",
        OperationState.PENDING,
        "machine vm1",
        {"request": {"cores": 1}},
        STEPS,
        created_at=float(number),
        requested_by="alice",
    )


def add(store: Store, *numbers: int) -> None:
    with store.begin() as uow:
        for number in numbers:
            uow.operations.add(an_operation(number))
        uow.commit()


def claim(store: Store, owner: str, now: float, lease_s: float = 20) -> Operation | None:
    with store.begin() as uow:
        claimed = uow.operations.claim(owner, now, lease_s)
        uow.commit()
        return claimed


def test_claims_are_in_order_and_exclusive(store: Store) -> None:
    add(store, 2, 1)
    first, second = claim(store, "a", 100.0), claim(store, "b", 100.0)
    assert first == replace(
        an_operation(1), state=OperationState.RUNNING, owner="a", lease_until=120.0, fence=1
    )
    assert second is not None
    assert (second.id, second.owner) == ("op-2", "b")
    assert claim(store, "c", 119.9) is None
    taken_over = claim(store, "c", 120.0)
    assert taken_over is not None
    assert (taken_over.id, taken_over.fence, taken_over.owner) == ("op-1", 2, "c")


def test_a_fenced_off_owner_writes_nothing(store: Store) -> None:
    add(store, 1)
    old = claim(store, "a", 100.0)
    assert old is not None
    with store.begin() as uow:
        uow.operations.save_step(old, StepRecord("reserve", StepState.DONE, {"host": "kvm1"}))
        uow.commit()
    new = claim(store, "b", 200.0)
    assert new is not None
    assert new.steps[0] == StepRecord("reserve", StepState.DONE, {"host": "kvm1"})
    for write in (
        lambda uow: uow.operations.save_step(old, StepRecord("volumes", StepState.DONE)),
        lambda uow: uow.operations.save_step(old, StepRecord("reserve", StepState.UNDONE)),
        lambda uow: uow.operations.save(replace(old, state=OperationState.SUCCEEDED)),
        lambda uow: uow.operations.renew(old, 500.0),
    ):
        with store.begin() as uow, pytest.raises(LeaseLost, match="op-1"):
            write(uow)
    with store.begin() as uow:
        assert uow.operations.get("op-1") == new
        renewed = uow.operations.renew(new, 500.0)
        uow.operations.save_step(new, StepRecord("reserve", StepState.UNDONE, None, "no", "why", 1.0, 2.0))
        uow.operations.save(
            replace(new, state=OperationState.FAILED, error="no", error_code="why", finished_at=9)
        )
        found = uow.operations.get("op-1")
    assert found.lease_until == renewed.lease_until == 500.0
    assert found.steps == (StepRecord("reserve", StepState.UNDONE, None, "no", "why", 1.0, 2.0), *STEPS[1:])
    assert (found.state, found.error, found.error_code, found.finished_at) == ("failed", "no", "why", 9)


def test_a_lease_that_is_given_back_can_be_claimed_at_once(store: Store) -> None:
    add(store, 1)
    first = claim(store, "a", 100.0)
    assert first is not None
    assert claim(store, "b", 101.0) is None
    with store.begin() as uow:
        uow.operations.give_back(first)
        uow.commit()
    second = claim(store, "b", 101.0)
    assert second is not None
    assert (second.owner, second.fence, second.state) == ("b", 2, OperationState.RUNNING)
    with store.begin() as uow, pytest.raises(LeaseLost, match="op-1"):
        uow.operations.give_back(first)


def test_eight_that_claim_at_once_share_out_what_there_is(store: Store) -> None:
    add(store, *range(1, 6))
    start = threading.Barrier(8)
    claimed: list[Operation | None] = []

    def run(number: int) -> None:
        start.wait()
        claimed.append(claim(store, f"w{number}", 100.0))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = [claim(store, "rest", 100.0) for _ in range(5)]
    ids = [each.id for each in (*claimed, *left) if each is not None]
    assert sorted(ids) == [f"op-{n}" for n in range(1, 6)]
    assert len(claimed) == 8


@pytest.mark.postgres
def test_postgresql_claims_do_not_wait_for_each_other(postgres: PostgresServer) -> None:
    """SQLite has one writer at a time; here a claim that has not ended is passed over."""
    with postgres.database() as url:
        store = open_store(url)
        add(store, 1, 2)
        pool = ThreadPoolExecutor(1)
        with store.begin() as slow:
            first = slow.operations.claim("slow", 100.0, 20)
            second = pool.submit(claim, store, "quick", 100.0).result(10)
            slow.commit()
        pool.shutdown()
        store.close()
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == ("op-1", "op-2")


def test_cancel_and_retry_fit_the_state(store: Store) -> None:
    add(store, 1)
    with store.begin() as uow:
        assert uow.operations.request_cancel("op-1").cancel_requested
        with pytest.raises(WrongState, match="is pending; it must be stuck"):
            uow.operations.retry("op-1")
        with pytest.raises(NotFound):
            uow.operations.request_cancel("op-9")
        uow.commit()
    running = claim(store, "a", 100.0)
    assert running is not None
    assert running.cancel_requested
    with store.begin() as uow:
        uow.operations.save(replace(running, state=OperationState.STUCK, error="undo failed"))
        uow.commit()
    assert claim(store, "b", 999.0) is None
    with store.begin() as uow:
        retried = uow.operations.retry("op-1")
        uow.commit()
    assert (retried.state, retried.owner, retried.error) == (OperationState.UNWINDING, "", "undo failed")
    again = claim(store, "b", 101.0)
    assert again is not None
    assert (again.fence, again.state) == (2, OperationState.UNWINDING)
    with store.begin() as uow:
        uow.operations.save(replace(again, state=OperationState.FAILED))
        with pytest.raises(WrongState, match="is failed; it must be unfinished"):
            uow.operations.request_cancel("op-1")


def test_records_are_written_together_and_tell_of_a_cancel(store: Store) -> None:
    add(store, 1)
    claimed = claim(store, "a", 100.0)
    assert claimed is not None
    done = StepRecord("reserve", StepState.DONE, {"host": "kvm1"}, started_at=1.0, finished_at=2.0)
    running = StepRecord("volumes", StepState.RUNNING, started_at=2.0)
    assert isinstance(store, DatabaseStore)
    with store.begin() as uow, counted_statements(store.engine) as seen:
        assert uow.operations.save_step(claimed, done, running) is False
        uow.commit()
    assert len(seen) == 1
    with store.begin() as uow:
        uow.operations.request_cancel("op-1")
        uow.commit()
    over = replace(running, state=StepState.DONE, finished_at=3.0)
    with store.begin() as uow:
        assert uow.operations.save_step(claimed, over) is True
        assert uow.operations.get("op-1").steps == (done, over, STEPS[2])


def test_lists_are_newest_first_and_paged(store: Store) -> None:
    add(store, 3, 1, 4, 2)
    with store.begin() as uow:
        first = uow.operations.list(limit=3)
        assert [each.id for each in first] == ["op-4", "op-3", "op-2"]
        assert first[0].steps == STEPS
        assert [each.id for each in uow.operations.list(after="op-2")] == ["op-1"]
        done = uow.operations.claim("a", 100.0, 1)
        assert done is not None
        uow.operations.save(replace(done, state=OperationState.SUCCEEDED))
        assert [each.id for each in uow.operations.list(unfinished=True)] == ["op-4", "op-3", "op-2"]


def test_progress_is_everything_except_inputs_and_outputs(store: Store) -> None:
    add(store, 1, 2)
    with store.begin() as uow:
        claimed = uow.operations.claim("a", 100.0, 30)
        assert claimed is not None
        done = StepRecord("reserve", StepState.DONE, {"host": "kvm1"}, started_at=1.0, finished_at=2.0)
        uow.operations.save_step(claimed, done)
        whole = uow.operations.get(claimed.id)
        assert whole.steps[0].output == {"host": "kvm1"}
        steps = tuple(replace(step, output=None) for step in whole.steps)
        bare = replace(whole, input={}, steps=steps)
        assert uow.operations.get(claimed.id, with_data=False) == bare
        listed = uow.operations.list(unfinished=True, with_data=False)
        assert [operation.id for operation in listed] == ["op-2", "op-1"]
        assert bare in listed
        assert [each.id for each in uow.operations.list(after="op-2", limit=1, with_data=False)] == ["op-1"]
        with pytest.raises(NotFound):
            uow.operations.get("nothing", with_data=False)
        assert {each.saga for each in uow.operations.list(saga=whole.saga)} == {whole.saga}
        assert uow.operations.list(saga="nothing") == []


def test_waiting_ends_with_work_of_this_process(store: Store) -> None:
    store.wait_for_operation(0)
    threading.Timer(0.3, add, (store, 1)).start()
    began = time.monotonic()
    store.wait_for_operation(20)
    assert time.monotonic() - began < 10
    assert claim(store, "a", 100.0) is not None


def test_waiting_ends_with_a_lease_that_another_process_gives_back(url: str, store: Store) -> None:
    add(store, 1)
    operation = claim(store, "a", 100.0)
    assert operation is not None
    other = open_store(url)
    other.wait_for_operation(1.0)

    def give_back() -> None:
        with store.begin() as uow:
            uow.operations.give_back(operation)
            uow.commit()

    threading.Timer(0.3, give_back).start()
    began = time.monotonic()
    other.wait_for_operation(20)
    waited_s = time.monotonic() - began
    other.close()
    assert waited_s < 10


def test_waiting_ends_with_work_of_another_process(url: str, store: Store) -> None:
    """Another store on the same database simulates another process; they share only the database."""
    other = open_store(url)
    other.wait_for_operation(1.0)
    threading.Timer(0.3, add, (store, 1)).start()
    began = time.monotonic()
    other.wait_for_operation(20)
    waited_s = time.monotonic() - began
    other.close()
    assert waited_s < 10


def test_work_that_came_before_the_wait_is_not_missed(store: Store) -> None:
    store.wait_for_operation(0)
    add(store, 1)
    began = time.monotonic()
    store.wait_for_operation(20)
    assert time.monotonic() - began < 10


def test_events_are_newest_first(store: Store) -> None:
    with store.begin() as uow:
        for number in range(4):
            subject = EventSubject(EventSubjectKind.HOST, str(number), f"kvm{number}")
            uow.events.add(
                Event(EventKind.HOST_ADDED, subject, "added", float(number), details={"n": [number]})
            )
        newest = uow.events.list(limit=2)
        assert [str(event.subject) for event in newest] == ["host kvm3", "host kvm2"]
        assert newest[0].details == {"n": [3]}
        assert [event.subject.name for event in uow.events.list(after=newest[-1].id)] == ["kvm1", "kvm0"]


def test_an_answer_is_kept_once_and_for_a_time(store: Store) -> None:
    answer = StoredAnswer("key", "hash", 201, '{"id": 1}', 50.0)
    with store.begin() as uow:
        uow.answers.add(answer)
        assert uow.answers.find("key") == answer
        with pytest.raises(AlreadyExists, match="idempotency key 'key'"):
            uow.answers.add(answer)
        uow.answers.prune(50.0)
        assert uow.answers.find("key") == answer
        uow.answers.prune(50.1)
        assert uow.answers.find("key") is None


def test_users_and_tokens(store: Store) -> None:
    with store.begin() as uow:
        user = uow.users.add(User(UserId(0), "alice", admin=True))
        token = Token("abc", user.id, "laptop", "0" * 64, 5.0)
        uow.tokens.add(token)
        with pytest.raises(AlreadyExists, match="token 'abc'"):
            uow.tokens.add(token)
        with pytest.raises(NotFound, match="user 99"):
            uow.tokens.add(replace(token, id="def", user_id=UserId(99)))
        assert uow.tokens.list() == [token]
        assert uow.tokens.find("abc") == token
        uow.users.delete(user.id)
        assert uow.tokens.find("abc") is None
        uow.tokens.delete("abc")
