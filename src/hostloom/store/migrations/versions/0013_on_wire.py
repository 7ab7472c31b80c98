"""Addresses that are in use on the wire, which others may hold as well; tags of storage pools."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SEEN = "kind NOT IN ('observed', 'lease', 'on-wire')"


def upgrade() -> None:
    op.add_column("hosts", sa.Column("pool_tags", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("addresses", sa.Column("until", sa.Float(), nullable=True))
    _replace("uq_addresses_subnet_id_ip", ["subnet_id", "ip"], f"{_SEEN} AND subnet_id IS NOT NULL")
    _replace("uq_addresses_ip", ["ip"], f"{_SEEN} AND subnet_id IS NULL")


def _replace(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.drop_index(name, table_name="addresses")
    op.create_index(name, "addresses", columns, unique=True, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for what is seen on the wire")
