"""The network, groups, users and operations, with the default zone, resource pool and domain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0000"
down_revision = None
branch_labels = None
depends_on = None


def key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


ADDRESS = key(33)
#: The columns of each index, by table.
INDEXES = (
    ("vlans", ["relay_vlan_id"]),
    ("vlans", ["space_id"]),
    ("subnets", ["vlan_id"]),
    ("tokens", ["user_id"]),
    ("answers", ["created_at"]),
    ("operations", ["created_at", "id"]),
    ("operations", ["state", "lease_until"]),
    ("removals", ["revision"]),
)


def upgrade() -> None:
    _groups()
    _tags()
    _fabrics()
    _vlans()
    _subnets()
    _users()
    _operations()
    _changes()
    for table, columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=False)
    _defaults()


def _groups() -> None:
    op.create_table(
        "zones",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_zones"),
        sa.UniqueConstraint("name", name="uq_zones_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "resource_pools",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_resource_pools"),
        sa.UniqueConstraint("name", name="uq_resource_pools_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "domains",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("authoritative", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_domains"),
        sa.UniqueConstraint("name", name="uq_domains_name"),
        sqlite_autoincrement=True,
    )


def _tags() -> None:
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("kernel_options", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("name", name="uq_tags_name"),
        sqlite_autoincrement=True,
    )


def _fabrics() -> None:
    op.create_table(
        "fabrics",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("class_type", sa.String(length=255), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fabrics"),
        sa.UniqueConstraint("name", name="uq_fabrics_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "spaces",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spaces"),
        sa.UniqueConstraint("name", name="uq_spaces_name"),
        sqlite_autoincrement=True,
    )


def _vlans() -> None:
    op.create_table(
        "vlans",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("fabric_id", sa.Integer(), nullable=False),
        sa.Column("vid", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("mtu", sa.Integer(), nullable=False),
        sa.Column("dhcp_on", sa.Boolean(), nullable=False),
        sa.Column("relay_vlan_id", sa.Integer(), nullable=True),
        sa.Column("space_id", sa.Integer(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["fabric_id"], ["fabrics.id"], name="fk_vlans_fabric_id"),
        sa.ForeignKeyConstraint(["relay_vlan_id"], ["vlans.id"], name="fk_vlans_relay_vlan_id"),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name="fk_vlans_space_id"),
        sa.PrimaryKeyConstraint("id", name="pk_vlans"),
        sa.UniqueConstraint("fabric_id", "vid", name="uq_vlans_fabric_id_vid"),
        sa.UniqueConstraint("id", "fabric_id", name="uq_vlans_id_fabric_id"),
        sqlite_autoincrement=True,
    )


def _subnets() -> None:
    op.create_table(
        "subnets",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cidr", sa.String(49), nullable=False),
        sa.Column("first", ADDRESS, nullable=False),
        sa.Column("last", ADDRESS, nullable=False),
        sa.Column("vlan_id", sa.Integer(), nullable=False),
        sa.Column("fabric_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("gateway", ADDRESS, nullable=True),
        sa.Column("dns_servers", sa.Text(), nullable=False),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vlan_id", "fabric_id"],
            ["vlans.id", "vlans.fabric_id"],
            name="fk_subnets_vlan_id_fabric_id",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subnets"),
        sa.UniqueConstraint("fabric_id", "cidr", name="uq_subnets_fabric_id_cidr"),
        sqlite_autoincrement=True,
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tokens",
        sa.Column("id", key(64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
    )
    op.create_table(
        "answers",
        sa.Column("key", key(255), nullable=False),
        sa.Column("fingerprint", sa.String(length=255), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_answers"),
    )


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("id", key(64), nullable=False),
        sa.Column("saga", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("step_names", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
    )
    op.create_table(
        "steps",
        sa.Column("operation_id", key(64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name="fk_steps_operation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operation_id", "name", name="pk_steps"),
    )


def _changes() -> None:
    op.create_table(
        "world",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("topology", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_world"),
    )
    op.create_table(
        "removals",
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("revision", "kind", "key", name="pk_removals"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )


def _defaults() -> None:
    """The zone, resource pool and domain that everything new is in, and the first revision."""
    columns = ("id", "name", "description", "authoritative", "generation")
    groups = ("zones", "resource_pools", "domains")
    zones, pools, domains = (sa.table(group, *map(sa.column, columns)) for group in groups)
    op.bulk_insert(zones, [{"id": 1, "name": "default", "description": "", "generation": 1}])
    op.bulk_insert(pools, [{"id": 1, "name": "default", "description": "", "generation": 1}])
    op.bulk_insert(domains, [{"id": 1, "name": "default", "authoritative": True, "generation": 1}])
    world = sa.table("world", *map(sa.column, ("id", "value", "topology", "floor")))
    op.bulk_insert(world, [{"id": 1, "value": 1, "topology": 1, "floor": -1}])
    if op.get_bind().dialect.name == "postgresql":
        for group in groups:
            op.execute(f"SELECT setval(pg_get_serial_sequence('{group}', 'id'), 1)")


def downgrade() -> None:
    raise NotImplementedError("there is nothing before the first schema: remove the database")
