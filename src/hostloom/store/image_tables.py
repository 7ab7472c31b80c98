"""Tables of disk images."""

from sqlalchemy import BigInteger, Boolean, Column, Float, String, Table

from hostloom.store.columns import generation_column, id_column, metadata, name_column, text_column
from hostloom.store.types import BOOT_MODES, WORDS

disk_images = Table(
    "disk_images",
    metadata,
    id_column(),
    name_column(),
    text_column("title"),
    Column("os", String(255), nullable=False),
    Column("release", String(255), nullable=False),
    Column("codename", String(255), nullable=False),
    Column("architecture", String(40), nullable=False),
    Column("boot_modes", BOOT_MODES, nullable=False),
    #: Hash of the raw disk; equal disks are one image.
    Column("sha256", String(64), nullable=False, unique=True),
    Column("virtual_size_bytes", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("stream_sha256", String(64), nullable=False),
    Column("stream_size_bytes", BigInteger, nullable=False),
    #: Null: unknown.
    Column("has_cloud_init", Boolean),
    Column("has_kvm", Boolean),
    Column("default_user", String(255), nullable=False),
    text_column("source"),
    Column("source_sha256", String(64), nullable=False),
    Column("warnings", WORDS, nullable=False),
    Column("imported_at", Float, nullable=False),
    generation_column(),
    sqlite_autoincrement=True,
)
