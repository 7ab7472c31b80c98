"""Machines that are locked, or composed for whoever asked for one; hosts' default pools."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("locked", "on_demand"):
        op.add_column("machines", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("hosts", sa.Column("default_pool", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for locks")
