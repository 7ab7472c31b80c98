"""Gives networks and groups new ids, and updates all references."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

from sqlalchemy import Column, Table, delete, insert, select, update

from hostloom.model.errors.resources import AlreadyExists, NotFound
from hostloom.model.event import EventSubjectKind
from hostloom.model.import_plan import ImportNoun, Renumbering
from hostloom.store import tables
from hostloom.store.events import Events
from hostloom.store.plans import Plans
from hostloom.store.records import raise_sequence
from hostloom.store.transaction import DEFAULT_COLUMNS, Transaction, columns_of

#: Kinds of event subjects with an id as key, by table.
_SUBJECTS = {"vlans": EventSubjectKind.VLAN, "subnets": EventSubjectKind.SUBNET}
_TABLES = {
    ImportNoun.FABRIC: tables.fabrics,
    ImportNoun.VLAN: tables.vlans,
    ImportNoun.SUBNET: tables.subnets,
    ImportNoun.SPACE: tables.spaces,
    ImportNoun.ZONE: tables.zones,
    ImportNoun.RESOURCE_POOL: tables.resource_pools,
    ImportNoun.DOMAIN: tables.domains,
}
#: Tables with rows that a snapshot must read again when a row of the key table changes.
_OWNERS = {
    "node_interfaces": tables.nodes,
    "absent_interfaces": tables.nodes,
    "machine_interfaces": tables.machines,
}
#: Columns of the table `world` with the default groups. They are not foreign keys.
_DEFAULTS = {
    "zones": "default_zone",
    "resource_pools": "default_resource_pool",
    "domains": "default_domain",
}
#: An unused value that the old row gets while its copy has the unique value.
_PLACEHOLDERS: dict[str, tuple[str, Any]] = {
    "fabrics": ("name", "\x01"),
    "spaces": ("name", "\x01"),
    "zones": ("name", "\x01"),
    "resource_pools": ("name", "\x01"),
    "domains": ("name", "\x01"),
    "vlans": ("vid", -1),
    "subnets": ("cidr", ip_network("::/128")),
}


def renumber(tx: Transaction, moves: Sequence[Renumbering]) -> None:
    """Change ids, which may be exchanged; NotFound, or AlreadyExists for one that another row keeps.

    Stored plans are deleted, because they refer to networks by their former ids.
    """
    if not moves:
        return
    tx.change_world(topology=True)
    _check(tx, moves)
    # Every row is moved aside first, so that two rows can exchange their ids.
    for number, move in enumerate(moves, 1):
        _move(tx, _TABLES[move.noun], move.before, -number)
    for number, move in enumerate(moves, 1):
        table = _TABLES[move.noun]
        _move(tx, table, -number, move.after)
        if "automatic" in table.c:
            statement = update(table).where(table.c.id == move.after)
            tx.write(statement.values(automatic=move.gives_way))
    if tx.is_postgresql:
        for noun in {move.noun for move in moves}:
            raise_sequence(tx, _TABLES[noun])
    Plans(tx).forget_all()


def _check(tx: Transaction, moves: Sequence[Renumbering]) -> None:
    leaving = {(move.noun, move.before) for move in moves}
    for move in moves:
        table = _TABLES[move.noun]
        if not tx.exists(table.c.id == move.before):
            raise NotFound(tables.KINDS[table.name], move.before)
        if (move.noun, move.after) not in leaving and tx.exists(table.c.id == move.after):
            raise AlreadyExists(tables.KINDS[table.name], move.after)


def _move(tx: Transaction, table: Table, old_id: int, new_id: int) -> None:
    """Insert a copy, update all references, and delete the row, so that foreign keys are always valid."""
    row = dict(columns_of(tx.read(select(table).where(table.c.id == old_id)).one()))
    name, placeholder = _PLACEHOLDERS[table.name]
    tx.write(update(table).where(table.c.id == old_id).values({name: placeholder}))
    tx.write(insert(table).values(row | {"id": new_id}))
    for column in _references(table):
        _repoint(tx, column, old_id, new_id)
    _follow_default(tx, table, old_id, new_id)
    if table.name in _SUBJECTS:
        Events(tx).rename_key(_SUBJECTS[table.name], str(old_id), str(new_id))
    tx.write(delete(table).where(table.c.id == old_id))


def _follow_default(tx: Transaction, table: Table, old_id: int, new_id: int) -> None:
    """Keep the default group the default under its new id."""
    for name, column in DEFAULT_COLUMNS.items():
        if column.name == _DEFAULTS.get(table.name) and tx.default_groups[name] == old_id:
            tx.write(update(tables.world).values({column.name: new_id}))
            tx.default_groups[name] = new_id


def _references(table: Table) -> "Iterator[Column[Any]]":
    for child in table.metadata.sorted_tables:
        for key in child.foreign_keys:
            if key.column is table.c.id:
                yield key.parent


def _repoint(tx: Transaction, column: "Column[Any]", old_id: int, new_id: int) -> None:
    table = column.table
    values: dict[str, Any] = {column.name: new_id}
    if "revision" in table.c:
        values["revision"] = tx.change_world(topology=True)
    tx.write(update(table).where(column == old_id).values(values))
    owner = _OWNERS.get(table.name)
    if owner is not None:
        changed = select(table.c.system_id).where(column == new_id)
        statement = update(owner).where(owner.c.system_id.in_(changed))
        tx.write(statement.values(revision=tx.change_world(topology=True)))
