"""Tables of the network, of groups and of users."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from hostloom.model.network import RangeKind
from hostloom.store.columns import (
    automatic_column,
    generation_column,
    id_column,
    metadata,
    name_column,
    text_column,
)
from hostloom.store.types import (
    ADDRESSES,
    AddressText,
    NetworkText,
    Word,
    text_key,
)

#: One row. Every change of the state increments `value`, and its row lock orders the writers;
#: `topology` is the revision of the last network change; removals up to `floor` are deleted.
world = Table(
    "world",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
    Column("topology", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),
    #: Default zone, resource pool and domain of nodes and hosts.
    Column("default_zone", Integer, nullable=False, server_default="1"),
    Column("default_resource_pool", Integer, nullable=False, server_default="1"),
    Column("default_domain", Integer, nullable=False, server_default="1"),
)

#: Removed rows, so that snapshots can also remove them; `kind` is the name of the table.
removals = Table(
    "removals",
    metadata,
    Column("revision", BigInteger, nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("key", String(64), nullable=False),
    PrimaryKeyConstraint("revision", "kind", "key"),
)

spaces = Table(
    "spaces",
    metadata,
    id_column(),
    name_column(),
    text_column("description"),
    generation_column(),
    sqlite_autoincrement=True,
)

fabrics = Table(
    "fabrics",
    metadata,
    id_column(),
    name_column(),
    Column("class_type", String(255)),
    text_column("description"),
    generation_column(),
    automatic_column(),
    sqlite_autoincrement=True,
)

vlans = Table(
    "vlans",
    metadata,
    id_column(),
    Column("fabric_id", ForeignKey("fabrics.id"), nullable=False),
    Column("vid", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("mtu", Integer, nullable=False),
    Column("dhcp_on", Boolean, nullable=False),
    Column("relay_vlan_id", ForeignKey("vlans.id"), index=True),
    Column("space_id", ForeignKey("spaces.id"), index=True),
    Column("primary_rack_id", ForeignKey("racks.id"), index=True),
    Column("secondary_rack_id", ForeignKey("racks.id"), index=True),
    text_column("description"),
    generation_column(),
    automatic_column(),
    UniqueConstraint("fabric_id", "vid"),
    UniqueConstraint("id", "fabric_id"),
    sqlite_autoincrement=True,
)

subnets = Table(
    "subnets",
    metadata,
    id_column(),
    Column("cidr", NetworkText, nullable=False),
    Column("first", AddressText, nullable=False),
    Column("last", AddressText, nullable=False),
    Column("vlan_id", Integer, nullable=False, index=True),
    #: The fabric of the VLAN, stored here so that a network is only one subnet in a fabric.
    Column("fabric_id", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("gateway", AddressText),
    Column("dns_servers", ADDRESSES, nullable=False),
    Column("ntp_servers", ADDRESSES, nullable=False),
    Column("lease_time_s", Integer),
    Column("managed", Boolean, nullable=False),
    text_column("description"),
    generation_column(),
    automatic_column(),
    UniqueConstraint("fabric_id", "cidr"),
    ForeignKeyConstraint(["vlan_id", "fabric_id"], ["vlans.id", "vlans.fabric_id"], onupdate="CASCADE"),
    sqlite_autoincrement=True,
)

ip_ranges = Table(
    "ip_ranges",
    metadata,
    id_column(),
    Column("subnet_id", ForeignKey("subnets.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Word(RangeKind), nullable=False),
    Column("start", AddressText, nullable=False),
    Column("end", AddressText, nullable=False),
    text_column("comment"),
    generation_column(),
    sqlite_autoincrement=True,
)

zones = Table(
    "zones",
    metadata,
    id_column(),
    name_column(),
    text_column("description"),
    generation_column(),
    sqlite_autoincrement=True,
)

resource_pools = Table(
    "resource_pools",
    metadata,
    id_column(),
    name_column(),
    text_column("description"),
    generation_column(),
    sqlite_autoincrement=True,
)

domains = Table(
    "domains",
    metadata,
    id_column(),
    name_column(),
    Column("authoritative", Boolean, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    generation_column(),
    sqlite_autoincrement=True,
)

tags = Table(
    "tags",
    metadata,
    id_column(),
    name_column(),
    text_column("description"),
    text_column("kernel_options"),
    generation_column(),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    id_column(),
    name_column(),
    Column("admin", Boolean, nullable=False),
    generation_column(),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", text_key(64), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
)
