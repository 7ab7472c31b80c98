"""Operations, their steps, and answers by idempotency key; leases and fencing tokens protect operations."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.errors.server import LeaseLost
from hostloom.model.operation import FINISHED, Claim, Operation, OperationState, StepRecord
from hostloom.ports.operation_records import StoredAnswer
from hostloom.store.integrity import find_broken
from hostloom.store.tables import answers, operations, steps
from hostloom.store.transaction import Transaction, columns_of

#: PostgreSQL channel that notifies every process of operations to claim.
CHANNEL = "hostloom_operation"

_STEP_FIELDS = [field.name for field in fields(StepRecord)]
_FIELDS = [field.name for field in fields(Operation) if field.name != "steps"]
#: The columns with and without data.
_OPERATION = {True: [*operations.c], False: [column for column in operations.c if column.name != "input"]}
_STEP = {True: [*steps.c], False: [column for column in steps.c if column.name != "output"]}
_CLAIMABLE = (OperationState.PENDING, OperationState.RUNNING, OperationState.UNWINDING)


class Operations:
    """Operations; every write by a runner checks its fencing token in the same statement."""

    def __init__(self, tx: Transaction, wake: Callable[[], None]) -> None:
        self.tx = tx
        self._wake = wake

    def add(self, operation: Operation) -> Operation:
        """Store an operation; steps that have not begun are stored only by name."""
        values = {name: getattr(operation, name) for name in _FIELDS}
        values["step_names"] = [step.name for step in operation.steps]
        self.tx.write(self._announced(insert(operations).values(values)))
        begun = [
            {"operation_id": operation.id} | _step_row(step)
            for step in operation.steps
            if step != StepRecord(step.name)
        ]
        if begun:
            self.tx.write(insert(steps), begun)
        return operation

    def get(self, operation_id: str, *, with_data: bool = True) -> Operation:
        """By id; without data, the input and the outputs of its steps are left out; NotFound."""
        query = select(*_OPERATION[with_data]).where(operations.c.id == operation_id)
        for operation in self._read(self.tx.rows(query), with_data=with_data):
            return operation
        raise NotFound("operation", operation_id)

    def list(
        self,
        after: str | None = None,
        limit: int | None = None,
        *,
        unfinished: bool = False,
        saga: str | None = None,
        with_data: bool = True,
    ) -> list[Operation]:
        """Newest first, those older than `after`, or of one saga; `with_data` as in `get`."""
        newest = (operations.c.created_at.desc(), operations.c.id.desc())
        query = select(*_OPERATION[with_data]).order_by(*newest).limit(limit)
        if after is not None:
            mark = operations.alias("mark")
            query = query.where(
                tuple_(operations.c.created_at, operations.c.id)
                < select(mark.c.created_at, mark.c.id).where(mark.c.id == after).scalar_subquery()
            )
        if unfinished:
            query = query.where(operations.c.state.not_in(FINISHED))
        if saga is not None:
            query = query.where(operations.c.saga == saga)
        return [*self._read(self.tx.rows(query), with_data=with_data)]

    def claim(
        self,
        owner: str,
        now: float,
        lease_s: float,
        *,
        besides: Collection[str] = (),
        dead: Collection[Claim] = (),
    ) -> Operation | None:
        """Claim the oldest operation without a worker; a pending one becomes running."""
        is_free = operations.c.lease_until <= now
        if dead:
            keys = [(claim.operation_id, claim.fence, claim.lease_until) for claim in dead]
            claims = tuple_(operations.c.id, operations.c.fence, operations.c.lease_until)
            is_free = or_(is_free, claims.in_(keys))
        free = (
            select(operations.c.id)
            .where(operations.c.state.in_(_CLAIMABLE), is_free, operations.c.id.not_in(besides))
            .order_by(operations.c.created_at, operations.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        begun = exists().where(steps.c.operation_id == operations.c.id)
        running = case(
            (
                operations.c.state == OperationState.PENDING,
                literal(OperationState.RUNNING, operations.c.state.type),
            ),
            else_=operations.c.state,
        )
        claimed = self.tx.write(
            update(operations)
            .where(operations.c.id == free.scalar_subquery())
            .values(owner=owner, lease_until=now + lease_s, fence=operations.c.fence + 1, state=running)
            .returning(*operations.c, begun.label("begun"))
        ).all()
        # `begun` is from the statement's snapshot; the fencing token is from the locked row.
        claimed_operations = self._read(claimed, has_rows=any(row.begun or row.fence > 1 for row in claimed))
        return claimed_operations[0] if claimed_operations else None

    def ahead(self, until: float) -> Sequence[Claim]:
        """Claims of unfinished operations whose leases end after `until`."""
        query = select(operations.c.id, operations.c.fence, operations.c.lease_until)
        far = (operations.c.state.in_(_CLAIMABLE), operations.c.lease_until > until)
        return [Claim(*row) for row in self.tx.rows(query.where(*far))]

    def free_all(self) -> None:
        """End the leases of all unfinished operations; only allowed if no other server can run any."""
        is_leased = (operations.c.state.in_(_CLAIMABLE), operations.c.lease_until > 0)
        self.tx.write(update(operations).where(*is_leased).values(lease_until=0.0))

    def renew(self, operation: Operation, lease_until: float) -> Operation:
        """Extend the lease."""
        self._write(operation, {"lease_until": lease_until})
        return replace(operation, lease_until=lease_until)

    def give_back(self, operation: Operation) -> None:
        """End the lease and notify waiting servers. LeaseLost if another server holds the lease."""
        ours = and_(operations.c.id == operation.id, operations.c.fence == operation.fence)
        statement = update(operations).where(ours).values(owner="", lease_until=0.0)
        if not self.tx.write(self._announced(statement)).all():
            raise LeaseLost(operation.id)

    def save(self, operation: Operation) -> None:
        """Write the state, error and end, but not the steps."""
        self._write(
            operation,
            {
                "state": operation.state,
                "error": operation.error,
                "error_code": operation.error_code,
                "finished_at": operation.finished_at,
            },
        )

    def save_step(self, operation: Operation, *records: StepRecord) -> bool:
        """Write records of steps, check the fencing token and read a cancellation, all in one statement.

        The operation's row is locked before the records are joined to it. Locked in the join itself,
        PostgreSQL would evaluate the join again after it waited for a renewal of the lease, and would insert
        every record twice.
        """
        locked = (
            select(operations.c.id, operations.c.cancel_requested)
            .where(operations.c.id == operation.id, operations.c.fence == operation.fence)
            .with_for_update()
            .cte("locked")
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )
        new = union_all(*(self._literals(_step_row(record)) for record in records)).subquery("new")
        source = select(locked.c.id, *(new.c[name] for name in _STEP_FIELDS)).join(new, true()).where(true())
        dialect = postgresql if self.tx.is_postgresql else sqlite
        statement = dialect.insert(steps).from_select(["operation_id", *_STEP_FIELDS], source)
        statement = statement.on_conflict_do_update(
            index_elements=[steps.c.operation_id, steps.c.name],
            set_={name: statement.excluded[name] for name in _STEP_FIELDS if name != "name"},
        )
        # SQLite supports no common table expressions here, and has only one writer at a time.
        wanted = (
            select(locked.c.cancel_requested)
            if self.tx.is_postgresql
            else (select(operations.c.cancel_requested).where(operations.c.id == operation.id))
        )
        saved = self.tx.write(statement.returning(wanted.scalar_subquery())).first()
        if saved is None:
            raise LeaseLost(operation.id)
        return bool(saved[0])

    def request_cancel(self, operation_id: str) -> Operation:
        """Request a cancellation; WrongState if the operation is finished."""
        return self._steer(
            operation_id, {"cancel_requested": True}, operations.c.state.not_in(FINISHED), "unfinished"
        )

    def retry(self, operation_id: str) -> Operation:
        """Set a stuck operation to unwinding, unclaimed; WrongState otherwise."""
        values = {"state": OperationState.UNWINDING, "owner": "", "lease_until": 0.0}
        return self._steer(operation_id, values, operations.c.state == OperationState.STUCK, "stuck")

    # -- shared ------------------------------------------------------------------------------------------

    def _literals(self, row: dict[str, Any]) -> Select[Any]:
        """A row as a query, with casts, because PostgreSQL treats untyped values in a UNION as text."""
        values = {name: literal(value, steps.c[name].type) for name, value in row.items()}
        if self.tx.is_postgresql:
            return select(*(cast(value, steps.c[name].type).label(name) for name, value in values.items()))
        return select(*(value.label(name) for name, value in values.items()))

    def _steer(
        self, operation_id: str, values: dict[str, Any], condition: ColumnElement[bool], expected_state: str
    ) -> Operation:
        statement = update(operations).where(operations.c.id == operation_id, condition).values(values)
        rows = self.tx.write(self._announced(statement)).all()
        operation = self.get(operation_id)
        if not rows:
            raise WrongState("operation", operation_id, operation.state, f"it must be {expected_state}")
        return operation

    def _announced(self, statement: Any) -> Any:
        """Make the statement notify waiting processes when it is committed."""
        self.tx.after_commit(self._wake)
        if self.tx.is_postgresql:
            return statement.returning(operations.c.id, func.pg_notify(CHANNEL, ""))
        return statement.returning(operations.c.id)

    def _write(self, operation: Operation, values: dict[str, Any]) -> None:
        ours = and_(operations.c.id == operation.id, operations.c.fence == operation.fence)
        if not self.tx.write(update(operations).where(ours).values(values)).rowcount:
            raise LeaseLost(operation.id)

    def _read(
        self, rows: Sequence[Row[Any]], *, has_rows: bool = True, with_data: bool = True
    ) -> Sequence[Operation]:
        """Convert rows to operations; `has_rows`: whether any of their steps may have a row."""
        begun: dict[tuple[str, str], StepRecord] = {}
        if rows and has_rows:
            query = select(*_STEP[with_data]).where(steps.c.operation_id.in_([row.id for row in rows]))
            for step in map(columns_of, self.tx.rows(query)):
                values = {name: step[name] for name in _STEP_FIELDS if name in step}
                begun[step["operation_id"], step["name"]] = StepRecord(**values)
        return [
            Operation(
                **{name: columns_of(row)[name] for name in _FIELDS if name in columns_of(row)},
                steps=tuple(begun.get((row.id, name), StepRecord(name)) for name in row.step_names),
            )
            for row in rows
        ]


def _step_row(step: StepRecord) -> dict[str, Any]:
    return {name: getattr(step, name) for name in _STEP_FIELDS}


class Answers:
    """Stored answers to requests."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def find(self, key: str) -> StoredAnswer | None:
        """By key."""
        row = self.tx.read(select(answers).where(answers.c.key == key)).first()
        return None if row is None else StoredAnswer(**columns_of(row))

    def add(self, answer: StoredAnswer) -> None:
        """Store an answer; AlreadyExists if a parallel request was faster."""
        values = asdict(answer)
        with self.tx.guarded(lambda: find_broken(self.tx, answers, values)):
            self.tx.write(insert(answers).values(values))

    def settle(self, answer: StoredAnswer) -> None:
        """Replace a claim by the answer."""
        self.tx.write(update(answers).where(answers.c.key == answer.key).values(asdict(answer)))

    def forget(self, key: str) -> None:
        """Free a key."""
        self.tx.write(delete(answers).where(answers.c.key == key))

    def prune(self, before: float) -> None:
        """Delete answers that are older than a time."""
        self.tx.write(delete(answers).where(answers.c.created_at < before))
