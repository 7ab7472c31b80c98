"""Tables of operations, plans, events and idempotent answers."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
)

from hostloom.model.event import EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.operation import OperationState, StepState
from hostloom.store.columns import id_column, metadata, text_column
from hostloom.store.types import (
    JSON_VALUE,
    WORDS,
    Word,
    text_key,
)

operations = Table(
    "operations",
    metadata,
    Column("id", text_key(64), primary_key=True),
    Column("saga", String(64), nullable=False),
    Column("state", Word(OperationState), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("input", JSON_VALUE, nullable=False),
    #: Names of the steps in order; a step has a row after it has begun.
    Column("step_names", WORDS, nullable=False),
    text_column("error"),
    Column("error_code", String(64), nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("owner", String(255), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("requested_by", String(255), nullable=False),
    Index("ix_operations_created_at_id", "created_at", "id"),
    Index("ix_operations_state_lease_until", "state", "lease_until"),
)

steps = Table(
    "steps",
    metadata,
    Column("operation_id", ForeignKey("operations.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("state", Word(StepState), nullable=False),
    Column("output", JSON_VALUE),
    text_column("error"),
    Column("error_code", String(64), nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("done_bytes", BigInteger),
    Column("total_bytes", BigInteger),
    PrimaryKeyConstraint("operation_id", "name"),
)

plans = Table(
    "plans",
    metadata,
    Column("id", text_key(64), primary_key=True),
    Column("subject", String(255), nullable=False),
    Column("hosts", WORDS, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
    Column("requested_by", String(255), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("operation_id", ForeignKey("operations.id", ondelete="SET NULL"), index=True),
    #: JSON of model.stored_plan.PlanContent.
    Column("content", JSON_VALUE, nullable=False),
    Index("ix_plans_created_at_id", "created_at", "id"),
)

events = Table(
    "events",
    metadata,
    id_column(),
    Column("kind", Word(EventKind, 64), nullable=False),
    Column("subject_kind", Word(EventSubjectKind), nullable=False),
    Column("subject_key", String(255), nullable=False),
    Column("subject_name", String(255), nullable=False),
    text_column("message"),
    Column("at", Float, nullable=False),
    Column("details", JSON_VALUE, nullable=False),
    sqlite_autoincrement=True,
)

answers = Table(
    "answers",
    metadata,
    Column("key", text_key(255), primary_key=True),
    Column("fingerprint", String(255), nullable=False),
    Column("status", Integer, nullable=False),
    text_column("body"),
    Column("created_at", Float, nullable=False, index=True),
)
