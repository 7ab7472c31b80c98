"""Every table: one MetaData, every constraint by name."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.commissioning import BootAction
from hostloom.model.event import EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.host import CorrelationEvidence, CorrelationState, InstalledBy
from hostloom.model.machine import MachineOrigin, MachineState, PowerState
from hostloom.model.network import AddressKind, RangeKind
from hostloom.model.node import BridgeKind, InterfaceKind, InterfaceRole, NodeKind, VlanSource
from hostloom.model.operation import OperationState, StepState
from hostloom.model.request import AddressMode
from hostloom.store.types import (
    ADDRESSES,
    BRIDGE_VLANS,
    DISKS,
    DRIFT,
    EMULATIONS,
    FINDINGS,
    INTERFACE_ADDRESSES,
    JSON_VALUE,
    LIBVIRT_NETWORKS,
    POOL_TAGS,
    STORAGE_POOLS,
    WORDS,
    AddressText,
    MacText,
    NetworkText,
    Ratio,
    Word,
    text_key,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _id() -> "Column[int]":
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _generation() -> "Column[int]":
    return Column("generation", Integer, nullable=False)


def _revision() -> "Column[int]":
    """The world revision of the row's last change; a snapshot reads rows with later revisions again."""
    return Column("revision", BigInteger, nullable=False, index=True)


def _automatic() -> "Column[bool]":
    return Column("automatic", Boolean, nullable=False, server_default=false())


def _name() -> "Column[str]":
    return Column("name", String(255), nullable=False, unique=True)


def _text(name: str) -> "Column[str]":
    return Column(name, Text, nullable=False)


#: One row. `value` counts every change of the world up, and its row lock orders the writers;
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

#: Removed rows, so that snapshots can remove them too; kind is the table's name.
removals = Table(
    "removals",
    metadata,
    Column("revision", BigInteger, nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("key", String(64), nullable=False),
    PrimaryKeyConstraint("revision", "kind", "key"),
)

spaces = Table(
    "spaces", metadata, _id(), _name(), _text("description"), _generation(), sqlite_autoincrement=True
)

fabrics = Table(
    "fabrics",
    metadata,
    _id(),
    _name(),
    Column("class_type", String(255)),
    _text("description"),
    _generation(),
    _automatic(),
    sqlite_autoincrement=True,
)

vlans = Table(
    "vlans",
    metadata,
    _id(),
    Column("fabric_id", ForeignKey("fabrics.id"), nullable=False),
    Column("vid", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("mtu", Integer, nullable=False),
    Column("dhcp_on", Boolean, nullable=False),
    Column("relay_vlan_id", ForeignKey("vlans.id"), index=True),
    Column("space_id", ForeignKey("spaces.id"), index=True),
    Column("primary_rack_id", ForeignKey("racks.id"), index=True),
    Column("secondary_rack_id", ForeignKey("racks.id"), index=True),
    _text("description"),
    _generation(),
    _automatic(),
    UniqueConstraint("fabric_id", "vid"),
    UniqueConstraint("id", "fabric_id"),
    sqlite_autoincrement=True,
)

subnets = Table(
    "subnets",
    metadata,
    _id(),
    Column("cidr", NetworkText, nullable=False),
    Column("first", AddressText, nullable=False),
    Column("last", AddressText, nullable=False),
    Column("vlan_id", Integer, nullable=False, index=True),
    #: The VLAN's, kept here so that one network is one subnet in a fabric.
    Column("fabric_id", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("gateway", AddressText),
    Column("dns_servers", ADDRESSES, nullable=False),
    Column("ntp_servers", ADDRESSES, nullable=False),
    Column("lease_time_s", Integer),
    Column("managed", Boolean, nullable=False),
    _text("description"),
    _generation(),
    _automatic(),
    UniqueConstraint("fabric_id", "cidr"),
    ForeignKeyConstraint(["vlan_id", "fabric_id"], ["vlans.id", "vlans.fabric_id"], onupdate="CASCADE"),
    sqlite_autoincrement=True,
)

ip_ranges = Table(
    "ip_ranges",
    metadata,
    _id(),
    Column("subnet_id", ForeignKey("subnets.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Word(RangeKind), nullable=False),
    Column("start", AddressText, nullable=False),
    Column("end", AddressText, nullable=False),
    _text("comment"),
    _generation(),
    sqlite_autoincrement=True,
)

zones = Table(
    "zones", metadata, _id(), _name(), _text("description"), _generation(), sqlite_autoincrement=True
)

resource_pools = Table(
    "resource_pools", metadata, _id(), _name(), _text("description"), _generation(), sqlite_autoincrement=True
)

domains = Table(
    "domains",
    metadata,
    _id(),
    _name(),
    Column("authoritative", Boolean, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    _generation(),
    sqlite_autoincrement=True,
)

tags = Table(
    "tags",
    metadata,
    _id(),
    _name(),
    _text("description"),
    _text("kernel_options"),
    _generation(),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    _id(),
    _name(),
    Column("admin", Boolean, nullable=False),
    _generation(),
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

nodes = Table(
    "nodes",
    metadata,
    Column("system_id", text_key(16), primary_key=True),
    Column("hostname", String(255), nullable=False, unique=True),
    Column("kind", Word(NodeKind), nullable=False),
    Column("zone_id", ForeignKey("zones.id"), nullable=False, index=True),
    Column("resource_pool_id", ForeignKey("resource_pools.id"), nullable=False, index=True),
    Column("domain_id", ForeignKey("domains.id"), nullable=False, index=True),
    Column("tags", WORDS, nullable=False),
    _text("description"),
    Column("scanned_at", Float),
    _generation(),
    _revision(),
)

node_interfaces = Table(
    "node_interfaces",
    metadata,
    _id(),
    Column("system_id", ForeignKey("nodes.system_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("kind", Word(InterfaceKind), nullable=False),
    Column("mac", MacText, index=True),
    Column("vlan_id", ForeignKey("vlans.id"), index=True),
    Column("vlan_source", Word(VlanSource), nullable=False),
    Column("parents", WORDS, nullable=False),
    Column("bridge_kind", Word(BridgeKind)),
    Column("tag_vid", Integer),
    Column("enabled", Boolean, nullable=False),
    Column("link", Boolean, nullable=False),
    Column("mtu", Integer, nullable=False),
    Column("link_speed", Integer, nullable=False),
    Column("tags", WORDS, nullable=False),
    Column("role", Word(InterfaceRole), nullable=False, server_default=InterfaceRole.ORDINARY.value),
    Column("master", Text, nullable=False, server_default=""),
    Column("bridge_vlans", BRIDGE_VLANS, nullable=False, server_default="null"),
    Column("child_addresses", INTERFACE_ADDRESSES, nullable=False, server_default="[]"),
    Column("routers", ADDRESSES, nullable=False, server_default="[]"),
    UniqueConstraint("system_id", "name"),
    sqlite_autoincrement=True,
)

node_interface_addresses = Table(
    "node_interface_addresses",
    metadata,
    Column("interface_id", ForeignKey("node_interfaces.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("ip", AddressText, nullable=False, index=True),
    Column("prefix_length", Integer, nullable=False),
    PrimaryKeyConstraint("interface_id", "position"),
)

#: Interfaces with operator settings that the last reading of their node did not contain.
absent_interfaces = Table(
    "absent_interfaces",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("system_id", ForeignKey("nodes.system_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("kind", Word(InterfaceKind), nullable=False),
    Column("mac", MacText),
    Column("vlan_id", ForeignKey("vlans.id", ondelete="CASCADE"), index=True),
    Column("vlan_source", Word(VlanSource), nullable=False),
    Column("tags", WORDS, nullable=False),
)

hosts = Table(
    "hosts",
    metadata,
    _id(),
    _name(),
    Column("uri", String(1024), nullable=False, unique=True),
    Column("correlation_state", Word(CorrelationState), nullable=False),
    Column("system_id", ForeignKey("nodes.system_id"), index=True),
    Column("evidence", Word(CorrelationEvidence), nullable=False),
    _text("matched"),
    Column("candidates", WORDS, nullable=False),
    Column("installed_by", Word(InstalledBy), nullable=False),
    Column("default_macvlan_mode", Word(MacvlanMode)),
    Column("cores", Integer, nullable=False),
    Column("memory_mib", BigInteger, nullable=False),
    Column("huge_pages_mib", BigInteger, nullable=False, server_default="0"),
    Column("cpu_over_commit_ratio", Ratio(), nullable=False),
    Column("memory_over_commit_ratio", Ratio(), nullable=False),
    Column("emulations", EMULATIONS, nullable=False),
    Column("storage_pools", STORAGE_POOLS, nullable=False),
    Column("default_pool", Text, nullable=False, server_default=""),
    Column("pool_tags", POOL_TAGS, nullable=False, server_default="[]"),
    Column("libvirt_networks", LIBVIRT_NETWORKS, nullable=False),
    Column("reachable", Boolean, nullable=False),
    _text("unreachable_cause"),
    Column("facts_at", Float),
    Column("findings", FINDINGS, nullable=False, server_default="[]"),
    Column("zone_id", ForeignKey("zones.id"), nullable=False, index=True),
    Column("resource_pool_id", ForeignKey("resource_pools.id"), nullable=False, index=True),
    Column("tags", WORDS, nullable=False),
    _text("host_key"),
    Column("uuid", String(36), nullable=False, server_default="", index=True),
    Column("read_revision", BigInteger, nullable=False, server_default="0"),
    _generation(),
    _revision(),
    sqlite_autoincrement=True,
)

#: The node's row has the name, zone, resource pool and tags.
machines = Table(
    "machines",
    metadata,
    Column("system_id", ForeignKey("nodes.system_id", ondelete="CASCADE"), primary_key=True),
    Column("uuid", String(64), nullable=False),
    Column("origin", Word(MachineOrigin), nullable=False),
    Column("state", Word(MachineState), nullable=False),
    Column("host_id", ForeignKey("hosts.id")),
    Column("architecture", String(40), nullable=False),
    Column("cores", Integer, nullable=False),
    Column("memory_mib", BigInteger, nullable=False),
    Column("power", Word(PowerState), nullable=False),
    Column("disks", DISKS, nullable=False),
    Column("netboot", Boolean, nullable=False),
    Column("dhcp_published", Boolean, nullable=False),
    _text("owner"),
    Column("locked", Boolean, nullable=False, server_default=false()),
    Column("autostart", Boolean, nullable=False, server_default=false()),
    Column("on_demand", Boolean, nullable=False, server_default=false()),
    Column("next_boot", Word(BootAction)),
    Column("commission_by", Float, index=True),
    Column("domain_name", Text, nullable=False, server_default=""),
    Column("drift", DRIFT, nullable=False, server_default="[]"),
    Column("explanation", JSON_VALUE),
    _generation(),
    _revision(),
    UniqueConstraint("host_id", "uuid"),
)

machine_interfaces = Table(
    "machine_interfaces",
    metadata,
    Column("system_id", ForeignKey("machines.system_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("mac", MacText, nullable=False),
    Column("attachment_kind", Word(AttachKind), nullable=False),
    Column("source", String(255), nullable=False),
    Column("macvlan_mode", Word(MacvlanMode)),
    Column("ovs", Boolean, nullable=False),
    Column("vlan_id", ForeignKey("vlans.id"), index=True),
    Column("mode", Word(AddressMode), nullable=False),
    Column("ips", ADDRESSES, nullable=False),
    Column("boot", Boolean, nullable=False),
    Column("model", String(40), nullable=False),
    #: False for adopted machines: others may have given two of them one MAC.
    Column("ours", Boolean, nullable=False),
    PrimaryKeyConstraint("system_id", "position"),
    UniqueConstraint("system_id", "name"),
    Index(
        "uq_machine_interfaces_mac",
        "mac",
        unique=True,
        sqlite_where=text("ours"),
        postgresql_where=text("ours"),
    ),
    Index("ix_machine_interfaces_mac", "mac"),
)

_EXCLUSIVE = text("kind NOT IN ('observed', 'lease', 'on-wire') AND subnet_id IS NOT NULL")
_EXCLUSIVE_ALONE = text("kind NOT IN ('observed', 'lease', 'on-wire') AND subnet_id IS NULL")
addresses = Table(
    "addresses",
    metadata,
    _id(),
    Column("ip", AddressText, nullable=False, index=True),
    Column("kind", Word(AddressKind), nullable=False),
    Column("subnet_id", ForeignKey("subnets.id")),
    Column("system_id", ForeignKey("nodes.system_id"), index=True),
    Column("interface_name", String(255)),
    _text("comment"),
    Column("until", Float),
    _revision(),
    Index(
        "uq_addresses_subnet_id_ip",
        "subnet_id",
        "ip",
        unique=True,
        sqlite_where=_EXCLUSIVE,
        postgresql_where=_EXCLUSIVE,
    ),
    Index(
        "uq_addresses_ip", "ip", unique=True, sqlite_where=_EXCLUSIVE_ALONE, postgresql_where=_EXCLUSIVE_ALONE
    ),
    Index("ix_addresses_subnet_id", "subnet_id"),
    sqlite_autoincrement=True,
)

operations = Table(
    "operations",
    metadata,
    Column("id", text_key(64), primary_key=True),
    Column("saga", String(64), nullable=False),
    Column("state", Word(OperationState), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("input", JSON_VALUE, nullable=False),
    #: Names of the steps in order; a step has a row once it has begun.
    Column("step_names", WORDS, nullable=False),
    _text("error"),
    Column("error_code", String(64), nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("owner", String(255), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("requested_by", String(255), nullable=False),
    Index("ix_operations_created_at_id", "created_at", "id"),
    Index("ix_operations_state_lease_until", "state", "lease_until"),
)

steps = Table(
    "steps",
    metadata,
    Column("operation_id", ForeignKey("operations.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("state", Word(StepState), nullable=False),
    Column("output", JSON_VALUE),
    _text("error"),
    Column("error_code", String(64), nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    PrimaryKeyConstraint("operation_id", "name"),
)

plans = Table(
    "plans",
    metadata,
    Column("id", text_key(64), primary_key=True),
    Column("subject", String(255), nullable=False),
    Column("hosts", WORDS, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
    Column("requested_by", String(255), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("operation_id", ForeignKey("operations.id", ondelete="SET NULL"), index=True),
    #: JSON of model.stored_plan.PlanContent.
    Column("content", JSON_VALUE, nullable=False),
    Index("ix_plans_created_at_id", "created_at", "id"),
)

events = Table(
    "events",
    metadata,
    _id(),
    Column("kind", Word(EventKind, 64), nullable=False),
    Column("subject_kind", Word(EventSubjectKind), nullable=False),
    Column("subject_key", String(255), nullable=False),
    Column("subject_name", String(255), nullable=False),
    _text("message"),
    Column("at", Float, nullable=False),
    Column("details", JSON_VALUE, nullable=False),
    sqlite_autoincrement=True,
)

answers = Table(
    "answers",
    metadata,
    Column("key", text_key(255), primary_key=True),
    Column("fingerprint", String(255), nullable=False),
    Column("status", Integer, nullable=False),
    _text("body"),
    Column("created_at", Float, nullable=False, index=True),
)

#: Names of the tables' rows in messages.
KINDS = {
    "spaces": "space",
    "fabrics": "fabric",
    "vlans": "vlan",
    "subnets": "subnet",
    "ip_ranges": "range",
    "zones": "zone",
    "resource_pools": "resource pool",
    "domains": "domain",
    "tags": "tag",
    "users": "user",
    "tokens": "token",
    "api_keys": "API key",
    "passwords": "password",
    "annotations": "annotation",
    "nodes": "node",
    "node_interfaces": "interface",
    "absent_interfaces": "interface that is away",
    "hosts": "host",
    "machines": "machine",
    "machine_interfaces": "machine interface",
    "addresses": "address",
    "operations": "operation",
    "plans": "plan",
    "racks": "rack",
    "ssh_keys": "SSH key",
    "dhcp_messages": "DHCP message",
    "foreign_dhcp": "foreign DHCP server",
    "vlan_probes": "VLAN probe",
    "nic_proofs": "proof",
    "commissionings": "commissioning",
    "boot_tokens": "boot token",
    "answers": "idempotency key",
}
