"""Power settings of bare machines."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.String(16).with_variant(sa.String(16, collation="C"), "postgresql")
    op.create_table(
        "power_settings",
        sa.Column("system_id", key, primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer()),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("power_id", sa.String(255), nullable=False),
        sa.Column("privilege", sa.String(40), nullable=False),
        sa.Column("cipher_suite", sa.Integer()),
        sa.Column("verify_tls", sa.Boolean(), nullable=False),
        sa.Column("boot_mode", sa.String(40)),
        sa.ForeignKeyConstraint(
            ["system_id"], ["machines.system_id"], name="fk_power_settings_system_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for power settings")
