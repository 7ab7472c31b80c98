"""Pinned SSH keys, which each server kept in a separate file."""

import sqlalchemy as sa
from alembic import op

from hostloom.store.types import text_key

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ssh_keys",
        sa.Column("uri", text_key(1024), primary_key=True),
        sa.Column("server", text_key(300), nullable=False, index=True),
        sa.Column("kind", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(255), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for SSH keys")
