"""Stored plans in the database: they reserve nothing and expire soon."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, insert, not_, or_, select, tuple_, update

from hostloom.model.errors.resources import InUse, PlanGone
from hostloom.model.errors.stale import PlanTaken
from hostloom.model.operation import FINISHED
from hostloom.model.stored_plan import MAX_PLANS, PLAN_LIFETIME_S, StoredPlan
from hostloom.store.tables import operations, plans
from hostloom.store.transaction import Transaction, columns_of

_FIELDS = tuple(field.name for field in fields(StoredPlan))
_COLUMNS = tuple(plans.c[name] for name in _FIELDS)
#: Tolerated difference between the clocks of servers that share a database.
MAX_SKEW_S = 60.0
_NEWEST = (plans.c.created_at.desc(), plans.c.id.desc())


def _is_being_applied() -> ColumnElement[bool]:
    return exists().where(operations.c.id == plans.c.operation_id, operations.c.state.not_in(FINISHED))


class Plans:
    """Stored plans; their content is read separately, because lists do not show it."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, plan: StoredPlan, content: dict[str, Any]) -> None:
        """Store a plan, and delete expired and surplus ones, in two statements."""
        self._sweep(plan.created_at)
        self.tx.write(insert(plans).values(asdict(plan) | {"content": content}))

    def get(self, plan_id: str, now: float) -> StoredPlan:
        """By id; PlanGone."""
        row = self.tx.read(select(*_COLUMNS).where(plans.c.id == plan_id, _is_kept(now))).first()
        if row is None:
            raise PlanGone(plan_id)
        return StoredPlan(**columns_of(row))

    def content(self, plan_id: str) -> dict[str, Any]:
        """The full plan; PlanGone."""
        row = self.tx.read(select(plans.c.content).where(plans.c.id == plan_id)).first()
        if row is None:
            raise PlanGone(plan_id)
        document: dict[str, Any] = row[0]
        return document

    def list(self, now: float, after: str | None = None, limit: int | None = None) -> list[StoredPlan]:
        """Newest first, those older than `after`."""
        query = select(*_COLUMNS).where(_is_kept(now)).order_by(*_NEWEST).limit(limit)
        if after is not None:
            mark = plans.alias("mark")
            query = query.where(
                tuple_(plans.c.created_at, plans.c.id)
                < select(mark.c.created_at, mark.c.id).where(mark.c.id == after).scalar_subquery()
            )
        return [StoredPlan(**columns_of(row)) for row in self.tx.rows(query)]

    def use(self, plan: StoredPlan, operation_id: str) -> None:
        """Record the operation, unless another one was recorded since the plan was read."""
        same = (plans.c.id == plan.id, plans.c.operation_id.is_not_distinct_from(plan.operation_id))
        cursor_result = self.tx.write(update(plans).where(*same).values(operation_id=operation_id))
        if not cursor_result.rowcount:
            raise PlanTaken(plan.id)

    def delete(self, plan_id: str, now: float) -> None:
        """Delete a plan; PlanGone, or InUse."""
        plan = self.get(plan_id, now)
        cursor_result = self.tx.write(delete(plans).where(plans.c.id == plan_id, ~_is_being_applied()))
        if not cursor_result.rowcount:
            raise InUse("plan", plan_id, [f"operation {plan.operation_id}"])

    def forget_all(self) -> None:
        """Delete all plans that no operation applies."""
        self.tx.write(delete(plans).where(~_is_being_applied()))

    def _sweep(self, now: float) -> None:
        """Delete expired plans, and make room for one more."""
        crowded = select(plans.c.created_at).order_by(*_NEWEST).offset(MAX_PLANS - 1).limit(1)
        over = or_(not_(_is_valid(now)), plans.c.created_at <= crowded.scalar_subquery())
        self.tx.write(delete(plans).where(and_(over, ~_is_being_applied())))


def _is_valid(now: float) -> ColumnElement[bool]:
    """The condition for valid plans. Plans that expire too late were made while a clock was ahead."""
    return and_(plans.c.expires_at > now, plans.c.expires_at <= now + PLAN_LIFETIME_S + MAX_SKEW_S)


def _is_kept(now: float) -> ColumnElement[bool]:
    return or_(_is_valid(now), _is_being_applied())
