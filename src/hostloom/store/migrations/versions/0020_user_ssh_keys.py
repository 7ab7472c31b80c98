"""SSH keys of users; those that MAAS's clients kept as annotations become rows."""

import base64
import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None

_ANNOTATIONS = sa.table("annotations", *(sa.column(name) for name in ("id", "user", "content")))
_ANNOTATION = "ssh_keys"


def upgrade() -> None:
    keys = op.create_table(
        "user_ssh_keys",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.UniqueConstraint("user_id", "fingerprint"),
        sqlite_autoincrement=True,
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(_ANNOTATIONS).where(_ANNOTATIONS.c.user.is_not(None))).all()
    for row in rows:
        content = json.loads(row.content)
        kept = content.pop(_ANNOTATION, [])
        if kept:
            # Ids of keys are unique over all users, and clients know them.
            op.bulk_insert(keys, [_row(row.user, item["id"], item["key"]) for item in kept])
            changed = json.dumps(content)
            op.execute(sa.update(_ANNOTATIONS).where(_ANNOTATIONS.c.id == row.id).values(content=changed))
    if connection.dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('user_ssh_keys', 'id'),"
            " (SELECT COALESCE(MAX(id), 0) + 1 FROM user_ssh_keys), false)"
        )


def _row(user_id: int, key_id: int, text: str) -> dict[str, object]:
    _, data, *comment = text.split(maxsplit=2)
    digest = base64.b64encode(hashlib.sha256(base64.b64decode(data)).digest()).decode().rstrip("=")
    fingerprint = f"SHA256:{digest}"
    name = (comment[0] if comment else fingerprint)[:255]
    return {"id": key_id, "user_id": user_id, "name": name, "public_key": text, "fingerprint": fingerprint}


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for SSH keys of users")
