"""The metadata of all tables, and columns that many tables have."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    MetaData,
    String,
    Text,
    false,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def id_column() -> "Column[int]":
    """The primary key, which the database numbers."""
    return Column("id", Integer, primary_key=True, autoincrement=True)


def generation_column() -> "Column[int]":
    """The generation for conditional updates."""
    return Column("generation", Integer, nullable=False)


def revision_column() -> "Column[int]":
    """The world revision of the row's last change; a snapshot reads rows with later revisions again."""
    return Column("revision", BigInteger, nullable=False, index=True)


def automatic_column() -> "Column[bool]":
    """Whether hostloom created the row by itself."""
    return Column("automatic", Boolean, nullable=False, server_default=false())


def name_column() -> "Column[str]":
    """A unique name."""
    return Column("name", String(255), nullable=False, unique=True)


def text_column(name: str) -> "Column[str]":
    """A text of any length, which is never null."""
    return Column(name, Text, nullable=False)
