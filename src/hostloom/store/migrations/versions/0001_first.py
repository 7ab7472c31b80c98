"""The first schema, with the zone, resource pool and domain that everything new is in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


ADDRESS = key(33)


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("key", key(255), nullable=False),
        sa.Column("fingerprint", sa.String(length=255), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_answers"),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"], unique=False)
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
    op.create_index("ix_operations_created_at_id", "operations", ["created_at", "id"], unique=False)
    op.create_index("ix_operations_state_lease_until", "operations", ["state", "lease_until"], unique=False)
    op.create_table(
        "removals",
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("revision", "kind", "key", name="pk_removals"),
    )
    op.create_index("ix_removals_revision", "removals", ["revision"], unique=False)
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
        "spaces",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spaces"),
        sa.UniqueConstraint("name", name="uq_spaces_name"),
        sqlite_autoincrement=True,
    )
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
        "world",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("topology", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_world"),
    )
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
    op.create_index("ix_nodes_domain_id", "nodes", ["domain_id"], unique=False)
    op.create_index("ix_nodes_resource_pool_id", "nodes", ["resource_pool_id"], unique=False)
    op.create_index("ix_nodes_revision", "nodes", ["revision"], unique=False)
    op.create_index("ix_nodes_zone_id", "nodes", ["zone_id"], unique=False)
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
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"], unique=False)
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
    op.create_index("ix_vlans_relay_vlan_id", "vlans", ["relay_vlan_id"], unique=False)
    op.create_index("ix_vlans_space_id", "vlans", ["space_id"], unique=False)
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
    op.create_index("ix_hosts_resource_pool_id", "hosts", ["resource_pool_id"], unique=False)
    op.create_index("ix_hosts_revision", "hosts", ["revision"], unique=False)
    op.create_index("ix_hosts_system_id", "hosts", ["system_id"], unique=False)
    op.create_index("ix_hosts_zone_id", "hosts", ["zone_id"], unique=False)
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
    op.create_index("ix_node_interfaces_vlan_id", "node_interfaces", ["vlan_id"], unique=False)
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
    op.create_index("ix_subnets_vlan_id", "subnets", ["vlan_id"], unique=False)
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
    op.create_index("ix_addresses_ip", "addresses", ["ip"], unique=False)
    op.create_index("ix_addresses_revision", "addresses", ["revision"], unique=False)
    op.create_index("ix_addresses_subnet_id", "addresses", ["subnet_id"], unique=False)
    op.create_index("ix_addresses_system_id", "addresses", ["system_id"], unique=False)
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
    op.create_index("ix_ip_ranges_subnet_id", "ip_ranges", ["subnet_id"], unique=False)
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
    op.create_index("ix_machines_revision", "machines", ["revision"], unique=False)
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
    op.create_index("ix_node_interface_addresses_ip", "node_interface_addresses", ["ip"], unique=False)
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
    op.create_index("ix_machine_interfaces_mac", "machine_interfaces", ["mac"], unique=False)
    op.create_index("ix_machine_interfaces_vlan_id", "machine_interfaces", ["vlan_id"], unique=False)
    op.create_index(
        "uq_machine_interfaces_mac",
        "machine_interfaces",
        ["mac"],
        unique=True,
        sqlite_where=sa.text("ours"),
        postgresql_where=sa.text("ours"),
    )

    zones, pools, domains = (
        sa.table(
            name, *(sa.column(each) for each in ("id", "name", "description", "authoritative", "generation"))
        )
        for name in ("zones", "resource_pools", "domains")
    )
    op.bulk_insert(zones, [{"id": 1, "name": "default", "description": "", "generation": 1}])
    op.bulk_insert(pools, [{"id": 1, "name": "default", "description": "", "generation": 1}])
    op.bulk_insert(domains, [{"id": 1, "name": "default", "authoritative": True, "generation": 1}])
    world = sa.table("world", *(sa.column(each) for each in ("id", "value", "topology", "floor")))
    op.bulk_insert(world, [{"id": 1, "value": 1, "topology": 1, "floor": -1}])
    if op.get_bind().dialect.name == "postgresql":
        for name in ("zones", "resource_pools", "domains"):
            op.execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 1)")


def downgrade() -> None:
    raise NotImplementedError("there is nothing before the first schema: remove the database")
