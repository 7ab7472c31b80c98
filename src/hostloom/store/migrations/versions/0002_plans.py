"""Kept plans; and a compose makes one machine or more, also one that is under way at the upgrade."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", key(64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("hosts", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", key(64), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name="fk_plans_operation_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_index("ix_plans_created_at_id", "plans", ["created_at", "id"], unique=False)
    op.create_index("ix_plans_expires_at", "plans", ["expires_at"], unique=False)
    op.create_index("ix_plans_operation_id", "plans", ["operation_id"], unique=False)
    _widen_composes()


def _widen_composes() -> None:
    """The input of a compose is a batch now, and its observed host one of several."""
    bind = op.get_bind()
    operations = sa.table("operations", *(sa.column(name) for name in ("id", "saga", "input")))
    steps = sa.table("steps", *(sa.column(name) for name in ("operation_id", "name", "output")))
    composes = sa.select(operations.c.id, operations.c.input).where(operations.c.saga == "compose")
    for operation_id, text in bind.execute(composes).all():
        widened = json.dumps(_batch(json.loads(text)))
        bind.execute(sa.update(operations).where(operations.c.id == operation_id).values(input=widened))
        observe = sa.and_(steps.c.operation_id == operation_id, steps.c.name == "observe")
        output = bind.execute(sa.select(steps.c.output).where(observe)).scalar_one_or_none()
        found = json.loads(output) if output else None
        if found is not None:
            chosen = json.dumps({"hosts": [found["host"]]})
            bind.execute(sa.update(steps).where(observe).values(output=chosen))


def _batch(compose_input: dict[str, Any]) -> dict[str, Any]:
    return {
        "batch": {"machines": [compose_input["request"]], "strategy": None},
        "identities": [compose_input["identities"]],
        "plan_id": None,
    }


def downgrade() -> None:
    raise NotImplementedError("operations of several machines have no form in the schema before")
