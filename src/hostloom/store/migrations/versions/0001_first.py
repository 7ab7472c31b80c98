"""Nodes, hosts, machines, addresses and ranges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = "0000"
branch_labels = None
depends_on = None


def key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


ADDRESS = key(33)
#: The columns of each index, by table.
INDEXES = (
    ("nodes", ["domain_id"]),
    ("nodes", ["resource_pool_id"]),
    ("nodes", ["revision"]),
    ("nodes", ["zone_id"]),
    ("node_interfaces", ["vlan_id"]),
    ("node_interface_addresses", ["ip"]),
    ("hosts", ["resource_pool_id"]),
    ("hosts", ["revision"]),
    ("hosts", ["system_id"]),
    ("hosts", ["zone_id"]),
    ("addresses", ["ip"]),
    ("addresses", ["revision"]),
    ("addresses", ["subnet_id"]),
    ("addresses", ["system_id"]),
    ("ip_ranges", ["subnet_id"]),
    ("machines", ["revision"]),
    ("machine_interfaces", ["mac"]),
    ("machine_interfaces", ["vlan_id"]),
)


def upgrade() -> None:
    _nodes()
    _node_interfaces()
    _interface_addresses()
    _hosts()
    _addresses()
    _ip_ranges()
    _machines()
    _machine_interfaces()
    for table, columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=False)


def _nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("hostname", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("zone_id", sa.Integer(), nullable=False),
        sa.Column("resource_pool_id", sa.Integer(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("scanned_at", sa.Float(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name="fk_nodes_domain_id"),
        sa.ForeignKeyConstraint(
            ["resource_pool_id"], ["resource_pools.id"], name="fk_nodes_resource_pool_id"
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name="fk_nodes_zone_id"),
        sa.PrimaryKeyConstraint("system_id", name="pk_nodes"),
        sa.UniqueConstraint("hostname", name="uq_nodes_hostname"),
    )


def _node_interfaces() -> None:
    op.create_table(
        "node_interfaces",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("mac", sa.String(17), nullable=True),
        sa.Column("vlan_id", sa.Integer(), nullable=True),
        sa.Column("vlan_source", sa.String(40), nullable=False),
        sa.Column("parents", sa.Text(), nullable=False),
        sa.Column("bridge_kind", sa.String(40), nullable=True),
        sa.Column("tag_vid", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("link", sa.Boolean(), nullable=False),
        sa.Column("mtu", sa.Integer(), nullable=False),
        sa.Column("link_speed", sa.Integer(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["nodes.system_id"], name="fk_node_interfaces_system_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["vlan_id"], ["vlans.id"], name="fk_node_interfaces_vlan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_node_interfaces"),
        sa.UniqueConstraint("system_id", "name", name="uq_node_interfaces_system_id_name"),
        sqlite_autoincrement=True,
    )


def _interface_addresses() -> None:
    op.create_table(
        "node_interface_addresses",
        sa.Column("interface_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ip", ADDRESS, nullable=False),
        sa.Column("prefix_length", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["interface_id"],
            ["node_interfaces.id"],
            name="fk_node_interface_addresses_interface_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("interface_id", "position", name="pk_node_interface_addresses"),
    )


def _hosts() -> None:
    op.create_table(
        "hosts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("uri", sa.String(length=1024), nullable=False),
        sa.Column("correlation_state", sa.String(40), nullable=False),
        sa.Column("system_id", key(16), nullable=True),
        sa.Column("evidence", sa.String(40), nullable=False),
        sa.Column("matched", sa.Text(), nullable=False),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("installed_by", sa.String(40), nullable=False),
        sa.Column("default_macvlan_mode", sa.String(40), nullable=True),
        sa.Column("cores", sa.Integer(), nullable=False),
        sa.Column("memory_mib", sa.BigInteger(), nullable=False),
        sa.Column("cpu_over_commit_ratio", sa.Float(), nullable=False),
        sa.Column("memory_over_commit_ratio", sa.Float(), nullable=False),
        sa.Column("emulations", sa.Text(), nullable=False),
        sa.Column("storage_pools", sa.Text(), nullable=False),
        sa.Column("libvirt_networks", sa.Text(), nullable=False),
        sa.Column("reachable", sa.Boolean(), nullable=False),
        sa.Column("unreachable_cause", sa.Text(), nullable=False),
        sa.Column("facts_at", sa.Float(), nullable=True),
        sa.Column("zone_id", sa.Integer(), nullable=False),
        sa.Column("resource_pool_id", sa.Integer(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_pool_id"], ["resource_pools.id"], name="fk_hosts_resource_pool_id"
        ),
        sa.ForeignKeyConstraint(["system_id"], ["nodes.system_id"], name="fk_hosts_system_id"),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name="fk_hosts_zone_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hosts"),
        sa.UniqueConstraint("name", name="uq_hosts_name"),
        sa.UniqueConstraint("uri", name="uq_hosts_uri"),
        sqlite_autoincrement=True,
    )


def _addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ip", ADDRESS, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subnet_id", sa.Integer(), nullable=True),
        sa.Column("system_id", key(16), nullable=True),
        sa.Column("interface_name", sa.String(length=255), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["subnet_id"], ["subnets.id"], name="fk_addresses_subnet_id"),
        sa.ForeignKeyConstraint(["system_id"], ["nodes.system_id"], name="fk_addresses_system_id"),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_addresses_ip",
        "addresses",
        ["ip"],
        unique=True,
        sqlite_where=sa.text("kind NOT IN ('observed', 'lease') AND subnet_id IS NULL"),
        postgresql_where=sa.text("kind NOT IN ('observed', 'lease') AND subnet_id IS NULL"),
    )
    op.create_index(
        "uq_addresses_subnet_id_ip",
        "addresses",
        ["subnet_id", "ip"],
        unique=True,
        sqlite_where=sa.text("kind NOT IN ('observed', 'lease') AND subnet_id IS NOT NULL"),
        postgresql_where=sa.text("kind NOT IN ('observed', 'lease') AND subnet_id IS NOT NULL"),
    )


def _ip_ranges() -> None:
    op.create_table(
        "ip_ranges",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subnet_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("start", ADDRESS, nullable=False),
        sa.Column("end", ADDRESS, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subnet_id"], ["subnets.id"], name="fk_ip_ranges_subnet_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ip_ranges"),
        sqlite_autoincrement=True,
    )


def _machines() -> None:
    op.create_table(
        "machines",
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("uuid", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=True),
        sa.Column("architecture", sa.String(length=40), nullable=False),
        sa.Column("cores", sa.Integer(), nullable=False),
        sa.Column("memory_mib", sa.BigInteger(), nullable=False),
        sa.Column("power", sa.String(40), nullable=False),
        sa.Column("disks", sa.Text(), nullable=False),
        sa.Column("netboot", sa.Boolean(), nullable=False),
        sa.Column("dhcp_published", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_machines_host_id"),
        sa.ForeignKeyConstraint(
            ["system_id"], ["nodes.system_id"], name="fk_machines_system_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("system_id", name="pk_machines"),
        sa.UniqueConstraint("host_id", "uuid", name="uq_machines_host_id_uuid"),
    )


def _machine_interfaces() -> None:
    op.create_table(
        "machine_interfaces",
        sa.Column("system_id", key(16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.Column("attachment_kind", sa.String(40), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("macvlan_mode", sa.String(40), nullable=True),
        sa.Column("ovs", sa.Boolean(), nullable=False),
        sa.Column("vlan_id", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(40), nullable=False),
        sa.Column("ips", sa.Text(), nullable=False),
        sa.Column("boot", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(length=40), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["machines.system_id"], name="fk_machine_interfaces_system_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["vlan_id"], ["vlans.id"], name="fk_machine_interfaces_vlan_id"),
        sa.PrimaryKeyConstraint("system_id", "position", name="pk_machine_interfaces"),
        sa.UniqueConstraint("system_id", "name", name="uq_machine_interfaces_system_id_name"),
    )
    op.create_index(
        "uq_machine_interfaces_mac",
        "machine_interfaces",
        ["mac"],
        unique=True,
        sqlite_where=sa.text("ours"),
        postgresql_where=sa.text("ours"),
    )


def downgrade() -> None:
    raise NotImplementedError("there is no schema without machines: remove the database")
