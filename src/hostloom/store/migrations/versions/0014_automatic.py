"""Fabrics, VLANs and subnets that hostloom made by itself: their ids give way to imported ones."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("fabrics", "vlans", "subnets"):
        op.add_column(table, sa.Column("automatic", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    raise NotImplementedError("which networks hostloom made by itself would be forgotten")
