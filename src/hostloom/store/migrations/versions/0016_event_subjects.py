"""The subjects of events as columns; rows that were recorded as text (`machine web`) are converted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_EVENTS = sa.table(
    "events",
    *(sa.column(name, sa.String) for name in ("subject", "subject_kind", "subject_key", "subject_name")),
)
_KINDS = ("host", "machine", "node", "rack", "vlan", "subnet", "address", "lease", "image", "user", "world")
#: Subjects whose key is their name.
_NAMED = ("address", "lease", "image", "user")


def upgrade() -> None:
    for name, length in (("subject_kind", 40), ("subject_key", 255), ("subject_name", 255)):
        op.add_column("events", sa.Column(name, sa.String(length), nullable=False, server_default=""))
    _split()
    _fill_keys()
    op.drop_column("events", "subject")


def _split() -> None:
    """Take the first word as the kind and the rest as the name."""
    subject, kind = _EVENTS.c.subject, _EVENTS.c.subject_kind
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    space = (sa.func.strpos if is_postgresql else sa.func.instr)(subject, " ")
    update = sa.update(_EVENTS)
    op.execute(
        update.where(space > 0).values(
            subject_kind=sa.func.substr(subject, 1, space - 1),
            subject_name=sa.func.substr(subject, space + 1),
        )
    )
    # `world`, and subjects of events without a separate kind.
    op.execute(
        update.where(kind.not_in(_KINDS)).values(
            subject_kind="world", subject_name=sa.case((subject == "world", ""), else_=subject)
        )
    )


def _fill_keys() -> None:
    """Look up the key of what still has the name that it had then; events of other things have none."""
    nodes = sa.table("nodes", sa.column("system_id"), sa.column("hostname"))
    node = sa.select(nodes.c.system_id).where(nodes.c.hostname == _EVENTS.c.subject_name)
    subnets = sa.table("subnets", sa.column("id"), sa.column("cidr"))
    same = subnets.c.cidr == _EVENTS.c.subject_name
    # Several fabrics may have one subnet's CIDR: then it is not known which subnet it was.
    subnet = sa.select(_text(sa.func.min(subnets.c.id))).where(same).having(sa.func.count() == 1)
    for kinds, key in (
        (("machine", "node"), node),
        (("host",), _id_by_name("hosts")),
        (("rack",), _id_by_name("racks")),
        (("vlan",), _vlan()),
        (("subnet",), subnet),
    ):
        _set_key(kinds, sa.func.coalesce(key.scalar_subquery(), ""))
    _set_key(_NAMED, _EVENTS.c.subject_name)


def _set_key(kinds: tuple[str, ...], key: "sa.ColumnElement[str]") -> None:
    op.execute(sa.update(_EVENTS).where(_EVENTS.c.subject_kind.in_(kinds)).values(subject_key=key))


def _id_by_name(table: str) -> "sa.Select[str]":
    things = sa.table(table, sa.column("id"), sa.column("name"))
    return sa.select(_text(things.c.id)).where(things.c.name == _EVENTS.c.subject_name)


def _vlan() -> "sa.Select[str]":
    """By `FABRIC/VID`."""
    fabrics = sa.table("fabrics", sa.column("id"), sa.column("name", sa.String))
    vlans = sa.table("vlans", sa.column("id"), sa.column("fabric_id"), sa.column("vid"))
    name = fabrics.c.name + "/" + _text(vlans.c.vid)
    both = sa.select(_text(vlans.c.id)).join_from(vlans, fabrics, vlans.c.fabric_id == fabrics.c.id)
    return both.where(name == _EVENTS.c.subject_name)


def _text(number: "sa.ColumnElement[int]") -> "sa.ColumnElement[str]":
    return sa.cast(number, sa.String(20))


def downgrade() -> None:
    raise NotImplementedError("the schema before has no place for the keys of subjects")
