"""Racks, what was seen on the wire, proofs, commissioning; per subnet NTP and lease time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _racks()
    _dhcp_messages()
    _foreign_dhcp()
    _machines()


def _racks() -> None:
    op.create_table(
        "racks",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("control", sa.String(length=1024), nullable=False),
        sa.Column("control6", sa.String(length=1024), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["nodes.system_id"], name="fk_racks_system_id"),
        sa.PrimaryKeyConstraint("id", name="pk_racks"),
        sa.UniqueConstraint("name", name="uq_racks_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_racks_system_id", "racks", ["system_id"], unique=False)
    for name in ("primary_rack_id", "secondary_rack_id"):
        # Both databases take this; Alembic would copy the table on SQLite.
        constraint = f"CONSTRAINT fk_vlans_{name} REFERENCES racks (id)"
        op.execute(f"ALTER TABLE vlans ADD COLUMN {name} INTEGER {constraint}")
        op.create_index(f"ix_vlans_{name}", "vlans", [name], unique=False)
    op.add_column("subnets", sa.Column("ntp_servers", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("subnets", sa.Column("lease_time_s", sa.Integer(), nullable=True))
    op.add_column("machines", sa.Column("next_boot", sa.String(length=40), nullable=True))
    op.add_column("machines", sa.Column("commission_by", sa.Float(), nullable=True))
    op.create_index("ix_machines_commission_by", "machines", ["commission_by"], unique=False)
    op.create_index("ix_node_interfaces_mac", "node_interfaces", ["mac"], unique=False)


def _dhcp_messages() -> None:
    op.create_table(
        "dhcp_messages",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("interface", sa.String(length=255), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.Column("ip", key(33), nullable=True),
        sa.Column("server", key(33), nullable=True),
        sa.Column("sender", sa.String(length=17), nullable=True),
        sa.Column("vendor", sa.String(length=255), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("vlan_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["vlan_id"], ["vlans.id"], name="fk_dhcp_messages_vlan_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dhcp_messages"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dhcp_messages_at", "dhcp_messages", ["at"], unique=False)
    op.create_index("ix_dhcp_messages_vlan_id", "dhcp_messages", ["vlan_id"], unique=False)
    op.create_index("ix_dhcp_messages_mac_at", "dhcp_messages", ["mac", "at"], unique=False)


def _foreign_dhcp() -> None:
    op.create_table(
        "foreign_dhcp",
        sa.Column("vlan_id", sa.Integer(), nullable=False),
        sa.Column("server", key(33), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("first_offered", key(33), nullable=True),
        sa.Column("last_offered", key(33), nullable=True),
        sa.Column("seen_from", sa.String(length=1024), nullable=False),
        sa.Column("first_seen_at", sa.Float(), nullable=False),
        sa.Column("last_seen_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vlan_id"], ["vlans.id"], name="fk_foreign_dhcp_vlan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("vlan_id", "server", "mac", name="pk_foreign_dhcp"),
    )
    op.create_table(
        "vlan_probes",
        sa.Column("vlan_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("seen_from", sa.String(length=1024), nullable=False),
        sa.Column("ours_answered", sa.Boolean(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vlan_id"], ["vlans.id"], name="fk_vlan_probes_vlan_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("vlan_id", name="pk_vlan_probes"),
    )


def _machines() -> None:
    op.create_table(
        "nic_proofs",
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("nic", sa.String(length=255), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["machines.system_id"], name="fk_nic_proofs_system_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("system_id", "nic", name="pk_nic_proofs"),
    )
    op.create_table(
        "commissionings",
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("hardware", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["nodes.system_id"], name="fk_commissionings_system_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("system_id", name="pk_commissionings"),
    )
    op.create_table(
        "boot_tokens",
        sa.Column("secret_sha256", key(64), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("system_id", key(16), nullable=True),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["nodes.system_id"], name="fk_boot_tokens_system_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_boot_tokens"),
    )
    for name in ("mac", "system_id", "expires_at"):
        op.create_index(f"ix_boot_tokens_{name}", "boot_tokens", [name], unique=False)


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for racks")
