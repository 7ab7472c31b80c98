"""Deployments of machines, and the copies of disk images on hosts."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0020"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "deployments",
        sa.Column("system_id", _key(16), primary_key=True),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("token_sha256", _key(64)),
        sa.Column("deadline", sa.Float()),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["nodes.system_id"], name="fk_deployments_system_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("token_sha256", name="uq_deployments_token_sha256"),
    )
    op.create_index("ix_deployments_image_sha256", "deployments", ["image_sha256"])
    op.create_index("ix_deployments_deadline", "deployments", ["deadline"])
    op.create_table(
        "image_copies",
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("pool", _key(255), nullable=False),
        sa.Column("sha256", _key(64), nullable=False),
        sa.Column("volume", sa.String(255), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("operation_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id"], ["hosts.id"], name="fk_image_copies_host_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("host_id", "pool", "sha256", name="pk_image_copies"),
    )
    op.create_index("ix_image_copies_sha256", "image_copies", ["sha256"])


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for deployments")
