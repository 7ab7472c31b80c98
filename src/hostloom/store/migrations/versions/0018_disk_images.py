"""Disk images, and how many bytes a step of an operation has processed."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "disk_images",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        *(sa.Column(name, sa.String(255), nullable=False) for name in ("os", "release", "codename")),
        sa.Column("architecture", sa.String(40), nullable=False),
        sa.Column("boot_modes", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("virtual_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stream_sha256", sa.String(64), nullable=False),
        sa.Column("stream_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("has_cloud_init", sa.Boolean()),
        sa.Column("has_kvm", sa.Boolean()),
        sa.Column("default_user", sa.String(255), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.Float(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.UniqueConstraint("name", name="uq_disk_images_name"),
        sa.UniqueConstraint("sha256", name="uq_disk_images_sha256"),
        sqlite_autoincrement=True,
    )
    for name in ("done_bytes", "total_bytes"):
        op.add_column("steps", sa.Column(name, sa.BigInteger()))


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for disk images")
