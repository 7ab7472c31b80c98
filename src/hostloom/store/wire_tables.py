"""Tables of DHCP, network boot and observations on the wire."""

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
)

from hostloom.model.dhcp_exchange import MessageKind
from hostloom.store.tables import metadata
from hostloom.store.types import JSON_VALUE, AddressText, MacText, Word, text_key

racks = Table(
    "racks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("system_id", ForeignKey("nodes.system_id"), nullable=False, index=True),
    Column("control", String(1024), nullable=False),
    Column("control6", String(1024), nullable=False),
    Column("description", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    sqlite_autoincrement=True,
)

#: The pinned key of an SSH server, once for every URI that leads to it.
ssh_keys = Table(
    "ssh_keys",
    metadata,
    Column("uri", text_key(1024), primary_key=True),
    Column("server", text_key(300), nullable=False, index=True),
    Column("kind", String(255), nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Column("line", Text, nullable=False),
)

#: Recent DHCP messages: a ring that is pruned as it grows.
dhcp_messages = Table(
    "dhcp_messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False, index=True),
    Column("kind", Word(MessageKind), nullable=False),
    Column("mac", MacText, nullable=False),
    Column("interface", String(255), nullable=False),
    Column("transaction", BigInteger, nullable=False),
    Column("ip", AddressText),
    Column("server", AddressText),
    Column("sender", MacText),
    Column("vendor", String(255), nullable=False),
    Column("message", Text, nullable=False),
    Column("vlan_id", ForeignKey("vlans.id", ondelete="SET NULL"), index=True),
    Index("ix_dhcp_messages_mac_at", "mac", "at"),
    sqlite_autoincrement=True,
)

foreign_dhcp = Table(
    "foreign_dhcp",
    metadata,
    Column("vlan_id", ForeignKey("vlans.id", ondelete="CASCADE"), nullable=False),
    Column("server", AddressText, nullable=False),
    Column("mac", MacText, nullable=False),
    Column("first_offered", AddressText),
    Column("last_offered", AddressText),
    Column("seen_from", String(1024), nullable=False),
    Column("first_seen_at", Float, nullable=False),
    Column("last_seen_at", Float, nullable=False),
    PrimaryKeyConstraint("vlan_id", "server", "mac"),
)

vlan_probes = Table(
    "vlan_probes",
    metadata,
    Column("vlan_id", ForeignKey("vlans.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("seen_from", String(1024), nullable=False),
    Column("ours_answered", Boolean),
    Column("trouble", Text, nullable=False),
)

nic_proofs = Table(
    "nic_proofs",
    metadata,
    Column("system_id", ForeignKey("machines.system_id", ondelete="CASCADE"), nullable=False),
    Column("nic", String(255), nullable=False),
    Column("at", Float, nullable=False),
    #: JSON of model.proof.Evidence, one per check.
    Column("evidence", JSON_VALUE, nullable=False),
    PrimaryKeyConstraint("system_id", "nic"),
)

commissionings = Table(
    "commissionings",
    metadata,
    Column("system_id", ForeignKey("nodes.system_id", ondelete="CASCADE"), primary_key=True),
    Column("at", Float, nullable=False),
    #: JSON of model.commissioning.FoundHardware.
    Column("hardware", JSON_VALUE, nullable=False),
)

boot_tokens = Table(
    "boot_tokens",
    metadata,
    Column("secret_sha256", text_key(64), primary_key=True),
    Column("mac", MacText, nullable=False, index=True),
    Column("system_id", ForeignKey("nodes.system_id", ondelete="CASCADE"), index=True),
    Column("expires_at", Float, nullable=False, index=True),
)
