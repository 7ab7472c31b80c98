"""Tables of API keys, passwords, SSH keys of users, and annotations."""

from sqlalchemy import Column, Float, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from hostloom.store.tables import metadata
from hostloom.store.types import JSON_VALUE, text_key

api_keys = Table(
    "api_keys",
    metadata,
    Column("token_key", text_key(64), primary_key=True),
    Column("consumer_key", String(64), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("created_at", Float, nullable=False),
)

#: Only users who log in with a password have a row.
passwords = Table(
    "passwords",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("hash", String(255), nullable=False),
)

user_ssh_keys = Table(
    "user_ssh_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("public_key", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    UniqueConstraint("user_id", "fingerprint"),
    sqlite_autoincrement=True,
)

#: Exactly one of the keys is set: the annotated object. The row is deleted with that object.
annotations = Table(
    "annotations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("node", ForeignKey("nodes.system_id", ondelete="CASCADE"), unique=True),
    Column("subnet", ForeignKey("subnets.id", ondelete="CASCADE"), unique=True),
    Column("domain", ForeignKey("domains.id", ondelete="CASCADE"), unique=True),
    Column("tag", ForeignKey("tags.id", ondelete="CASCADE"), unique=True),
    Column("user", ForeignKey("users.id", ondelete="CASCADE"), unique=True),
    Column("content", JSON_VALUE, nullable=False),
    sqlite_autoincrement=True,
)
