"""API keys of MAAS's form, and what foreign clients keep with our things."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Column and what it refers to.
ANNOTATED = {
    "node": "nodes.system_id",
    "subnet": "subnets.id",
    "domain": "domains.id",
    "tag": "tags.id",
    "user": "users.id",
}


def key(length: int) -> TypeEngine[str]:
    """Text that sorts by bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("token_key", key(64), nullable=False),
        sa.Column("consumer_key", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_keys_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_key", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"], unique=False)
    op.create_table(
        "annotations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *(sa.Column(name, key(16) if name == "node" else sa.Integer(), nullable=True) for name in ANNOTATED),
        sa.Column("content", sa.Text(), nullable=False),
        *(
            sa.ForeignKeyConstraint([name], [target], name=f"fk_annotations_{name}", ondelete="CASCADE")
            for name, target in ANNOTATED.items()
        ),
        *(sa.UniqueConstraint(name, name=f"uq_annotations_{name}") for name in ANNOTATED),
        sa.PrimaryKeyConstraint("id", name="pk_annotations"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for API keys")
