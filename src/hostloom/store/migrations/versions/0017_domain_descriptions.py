"""Descriptions of domains."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("domains", sa.Column("description", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for descriptions of domains")
