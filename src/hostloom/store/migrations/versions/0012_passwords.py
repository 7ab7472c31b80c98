"""Passwords of users, and which domain is the default."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passwords",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_passwords_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_passwords"),
    )
    op.add_column("world", sa.Column("default_domain", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for passwords")
