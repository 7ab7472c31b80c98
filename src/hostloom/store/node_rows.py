"""Rows of nodes: reads nodes with their interfaces, and deletes nodes."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, Select, delete, select, update

from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineOrigin
from hostloom.model.network import SEEN_KINDS
from hostloom.model.node import Node, NodeInterface
from hostloom.store import tables
from hostloom.store.tables import node_interface_addresses, node_interfaces, nodes
from hostloom.store.transaction import Transaction, columns_of
from hostloom.store.types import interface_of

NODE_FIELDS = [field.name for field in fields(Node) if field.name != "interfaces"]
_INTERFACE_FIELDS = [field.name for field in fields(NodeInterface) if field.name != "addresses"]


def read_nodes(tx: Transaction, page: Select[Any]) -> list[Node]:
    """Nodes of a query over `nodes`, with their interfaces; three statements, regardless of the number."""
    rows = tx.rows(page)
    if not rows:
        return []
    page_keys = select(page.subquery().c.system_id)
    order = (node_interfaces.c.system_id, node_interfaces.c.position)
    interfaces = tx.rows(
        select(node_interfaces).where(node_interfaces.c.system_id.in_(page_keys)).order_by(*order)
    )
    addresses = tx.rows(
        select(node_interface_addresses)
        .join(node_interfaces)
        .where(node_interfaces.c.system_id.in_(page_keys))
        .order_by(node_interface_addresses.c.interface_id, node_interface_addresses.c.position)
    )
    return _assemble(rows, interfaces, addresses)


def _assemble(
    rows: Iterable[Row[Any]], interfaces: Iterable[Row[Any]], addresses: Iterable[Row[Any]]
) -> list[Node]:
    by_interface: dict[int, list[Any]] = {}
    for row in addresses:
        by_interface.setdefault(row.interface_id, []).append(interface_of(row.ip, row.prefix_length))
    by_node: dict[str, list[NodeInterface]] = {}
    for row in interfaces:
        columns = columns_of(row)
        interface = NodeInterface(
            **{name: columns[name] for name in _INTERFACE_FIELDS},
            addresses=tuple(by_interface.get(row.id, ())),
        )
        by_node.setdefault(row.system_id, []).append(interface)
    return [
        Node(
            **{name: columns_of(row)[name] for name in NODE_FIELDS},
            interfaces=tuple(by_node.get(row.system_id, ())),
        )
        for row in rows
    ]


def remove_nodes(tx: Transaction, system_ids: Sequence[str]) -> None:
    """Delete nodes, with their interfaces, machines, and every address that is held for them."""
    if not system_ids:
        return
    held, machines = tables.addresses, tables.machines
    _keep_leases(tx, system_ids)
    freed = tx.write(delete(held).where(held.c.system_id.in_(system_ids)).returning(held.c.id)).all()
    placed = tx.write(
        delete(machines).where(machines.c.system_id.in_(system_ids)).returning(machines.c.system_id)
    ).all()
    tx.write(delete(nodes).where(nodes.c.system_id.in_(system_ids)))
    tx.note_removed("addresses", [row[0] for row in freed])
    tx.note_removed("machines", [row[0] for row in placed])
    tx.note_removed("nodes", system_ids)


def _keep_leases(tx: Transaction, system_ids: Sequence[str]) -> None:
    """Keep leased addresses if only the node's record is deleted; a composed machine itself is deleted."""
    held, machines = tables.addresses, tables.machines
    composed = select(machines.c.system_id).where(machines.c.origin == MachineOrigin.COMPOSED)
    leased = (held.c.system_id.in_(system_ids), held.c.kind.in_(SEEN_KINDS))
    statement = update(held).where(*leased, held.c.system_id.not_in(composed))
    tx.write(statement.values(system_id=None, interface_name=None, revision=tx.change_world()))


def interface_row(system_id: SystemId, place: int, interface: NodeInterface) -> dict[str, Any]:
    """The row of an interface; a new interface has no id in it."""
    row = {name: getattr(interface, name) for name in _INTERFACE_FIELDS}
    if not interface.id:
        del row["id"]
    return row | {"system_id": system_id, "position": place}
