"""Tables of nodes, hosts, machines and their addresses."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
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
from hostloom.model.disk_image import BootMode
from hostloom.model.host import CorrelationEvidence, CorrelationState, InstalledBy
from hostloom.model.machine import MachineOrigin, MachineState, PowerState
from hostloom.model.network import AddressKind
from hostloom.model.node import BridgeKind, InterfaceKind, InterfaceRole, NodeKind, VlanSource
from hostloom.model.power import IpmiPrivilege, PowerKind
from hostloom.model.request import AddressMode
from hostloom.store.columns import (
    generation_column,
    id_column,
    metadata,
    name_column,
    revision_column,
    text_column,
)
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
    Ratio,
    Word,
    text_key,
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
    text_column("description"),
    Column("scanned_at", Float),
    generation_column(),
    revision_column(),
)

node_interfaces = Table(
    "node_interfaces",
    metadata,
    id_column(),
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
    id_column(),
    name_column(),
    Column("uri", String(1024), nullable=False, unique=True),
    Column("correlation_state", Word(CorrelationState), nullable=False),
    Column("system_id", ForeignKey("nodes.system_id"), index=True),
    Column("evidence", Word(CorrelationEvidence), nullable=False),
    text_column("matched"),
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
    text_column("unreachable_cause"),
    Column("facts_at", Float),
    Column("findings", FINDINGS, nullable=False, server_default="[]"),
    Column("zone_id", ForeignKey("zones.id"), nullable=False, index=True),
    Column("resource_pool_id", ForeignKey("resource_pools.id"), nullable=False, index=True),
    Column("tags", WORDS, nullable=False),
    text_column("host_key"),
    Column("uuid", String(36), nullable=False, server_default="", index=True),
    Column("read_revision", BigInteger, nullable=False, server_default="0"),
    generation_column(),
    revision_column(),
    sqlite_autoincrement=True,
)

#: The node's row contains the name, zone, resource pool and tags.
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
    text_column("owner"),
    Column("locked", Boolean, nullable=False, server_default=false()),
    Column("autostart", Boolean, nullable=False, server_default=false()),
    Column("on_demand", Boolean, nullable=False, server_default=false()),
    Column("next_boot", Word(BootAction)),
    Column("commission_by", Float, index=True),
    Column("domain_name", Text, nullable=False, server_default=""),
    Column("drift", DRIFT, nullable=False, server_default="[]"),
    Column("explanation", JSON_VALUE),
    generation_column(),
    revision_column(),
    UniqueConstraint("host_id", "uuid"),
)

#: How bare machines are switched. `secret` is encrypted with the file of the server's secret.
power_settings = Table(
    "power_settings",
    metadata,
    Column("system_id", ForeignKey("machines.system_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Word(PowerKind), nullable=False),
    Column("address", Text, nullable=False),
    Column("port", Integer),
    Column("user", String(255), nullable=False),
    Column("secret", Text, nullable=False),
    Column("power_id", String(255), nullable=False),
    Column("privilege", Word(IpmiPrivilege), nullable=False),
    Column("cipher_suite", Integer),
    Column("verify_tls", Boolean, nullable=False),
    Column("boot_mode", Word(BootMode)),
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
    #: False for adopted machines, because foreign machines may share a MAC.
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
    id_column(),
    Column("ip", AddressText, nullable=False, index=True),
    Column("kind", Word(AddressKind), nullable=False),
    Column("subnet_id", ForeignKey("subnets.id")),
    Column("system_id", ForeignKey("nodes.system_id"), index=True),
    Column("interface_name", String(255)),
    text_column("comment"),
    Column("until", Float),
    revision_column(),
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
