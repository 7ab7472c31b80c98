"""What a reading of a host tells of its wires: roles, members, VLANs of bridges, addresses, routers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DEFAULTS = {"master": "", "bridge_vlans": "null", "child_addresses": "[]", "routers": "[]"}


def upgrade() -> None:
    role = sa.Column("role", sa.String(40), nullable=False, server_default="ordinary")
    op.add_column("node_interfaces", role)
    for name, default in _DEFAULTS.items():
        op.add_column("node_interfaces", sa.Column(name, sa.Text(), nullable=False, server_default=default))


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for what is known of wires")
