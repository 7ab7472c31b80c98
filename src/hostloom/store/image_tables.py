"""Tables of disk images, their copies on hosts, and the deployments of machines."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, PrimaryKeyConstraint, String, Table

from hostloom.store.columns import generation_column, id_column, metadata, name_column, text_column
from hostloom.store.types import BOOT_MODES, JSON_VALUE, WORDS, text_key

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

deployments = Table(
    "deployments",
    metadata,
    Column("system_id", ForeignKey("nodes.system_id", ondelete="CASCADE"), primary_key=True),
    Column("image_sha256", String(64), nullable=False, index=True),
    #: Null: the machine does not report.
    Column("token_sha256", text_key(64), unique=True),
    #: Null: no report is awaited.
    Column("deadline", Float, index=True),
    #: JSON of model.deployment.Deployment.
    Column("document", JSON_VALUE, nullable=False),
)

image_copies = Table(
    "image_copies",
    metadata,
    Column("host_id", ForeignKey("hosts.id", ondelete="CASCADE"), nullable=False),
    Column("pool", text_key(255), nullable=False),
    Column("sha256", text_key(64), nullable=False, index=True),
    Column("volume", String(255), nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("operation_id", String(36), nullable=False),
    PrimaryKeyConstraint("host_id", "pool", "sha256"),
)
