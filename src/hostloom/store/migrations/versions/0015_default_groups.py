"""The default zone and resource pool may have any id: an import keeps the ids of the other system."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("default_zone", "default_resource_pool"):
        op.add_column("world", sa.Column(name, sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    raise NotImplementedError("which zone and resource pool are the default ones would be forgotten")
