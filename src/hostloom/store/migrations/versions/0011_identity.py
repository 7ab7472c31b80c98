"""UUIDs of hosts; libvirt's names and drift of machines; interfaces that are away."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("hosts", sa.Column("uuid", sa.String(36), nullable=False, server_default=""))
    op.add_column("hosts", sa.Column("read_revision", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_hosts_uuid", "hosts", ["uuid"])
    op.add_column("machines", sa.Column("domain_name", sa.Text(), nullable=False, server_default=""))
    op.add_column("machines", sa.Column("drift", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "absent_interfaces",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("mac", sa.String(17)),
        sa.Column("vlan_id", sa.Integer()),
        sa.Column("vlan_source", sa.String(40), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["nodes.system_id"], name="fk_absent_interfaces_system_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["vlan_id"], ["vlans.id"], name="fk_absent_interfaces_vlan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_absent_interfaces"),
    )
    op.create_index("ix_absent_interfaces_system_id", "absent_interfaces", ["system_id"])
    op.create_index("ix_absent_interfaces_vlan_id", "absent_interfaces", ["vlan_id"])


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for what identifies hosts")
