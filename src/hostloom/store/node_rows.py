"""Rows of nodes and machines: reads, inserts and deletes them with their interfaces and NICs."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    RowMapping,
    Select,
    delete,
    insert,
    select,
    update,
)

from hostloom.model.attachment import Attachment
from hostloom.model.ids import DomainId, SystemId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin
from hostloom.model.network import SEEN_KINDS
from hostloom.model.node import Node, NodeInterface, NodeKind
from hostloom.store import tables
from hostloom.store.records import name_users
from hostloom.store.tables import (
    machine_interfaces,
    machines,
    node_interface_addresses,
    node_interfaces,
    nodes,
)
from hostloom.store.transaction import Transaction, columns_of
from hostloom.store.types import interface_of

NODE_FIELDS = [field.name for field in fields(Node) if field.name != "interfaces"]
_INTERFACE_FIELDS = [field.name for field in fields(NodeInterface) if field.name != "addresses"]


def read_nodes(tx: Transaction, page: Select[Any]) -> list[Node]:
    """Nodes of a query over `nodes`, with their interfaces, in three statements for any number."""
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
    """Delete nodes with their interfaces, machines and held addresses."""
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
    """The row of an interface; the row of a new interface has no id."""
    row = {name: getattr(interface, name) for name in _INTERFACE_FIELDS}
    if not interface.id:
        del row["id"]
    return row | {"system_id": system_id, "position": place}


#: Fields of a machine that are stored in its node's row.
MACHINE_NODE_FIELDS = ("hostname", "zone_id", "resource_pool_id", "tags")
#: Fields of a machine that are stored in its own row.
MACHINE_FIELDS = (
    "system_id",
    "uuid",
    "origin",
    "state",
    "host_id",
    "architecture",
    "cores",
    "memory_mib",
    "power",
    "disks",
    "netboot",
    "dhcp_published",
    "owner",
    "locked",
    "autostart",
    "on_demand",
    "next_boot",
    "commission_by",
    "domain_name",
    "drift",
    "generation",
)
MACHINE_COLUMNS = (
    *(machines.c[name] for name in MACHINE_FIELDS),
    *(nodes.c[name] for name in MACHINE_NODE_FIELDS),
)


def select_machines() -> Select[Any]:
    """Machines joined with their nodes' rows."""
    return select(*MACHINE_COLUMNS).join(nodes, nodes.c.system_id == machines.c.system_id)


def read_machines(tx: Transaction, page: Select[Any]) -> list[Machine]:
    """Machines of a query, in two statements for any number of machines."""
    rows = tx.rows(page)
    if not rows:
        return []
    page_keys = select(page.subquery().c.system_id)
    nics = tx.rows(
        select(machine_interfaces)
        .where(machine_interfaces.c.system_id.in_(page_keys))
        .order_by(machine_interfaces.c.system_id, machine_interfaces.c.position)
    )
    by_machine: dict[str, list[MachineInterface]] = {}
    for row in nics:
        by_machine.setdefault(row.system_id, []).append(_interface_of(columns_of(row)))
    return [Machine(**columns_of(row), interfaces=tuple(by_machine.get(row.system_id, ()))) for row in rows]


def read_machine(tx: Transaction, condition: ColumnElement[bool]) -> Machine | None:
    """The machine that meets a condition, in one statement."""
    nic = machine_interfaces
    query = (
        select(*MACHINE_COLUMNS, *(column.label(f"nic_{column.name}") for column in nic.c))
        .join(nodes, nodes.c.system_id == machines.c.system_id)
        .outerjoin(nic, nic.c.system_id == machines.c.system_id)
        .where(condition)
        .order_by(nic.c.position)
    )
    rows = [columns_of(row) for row in tx.rows(query)]
    if not rows:
        return None
    nics = tuple(_interface_of(row, "nic_") for row in rows if row["nic_name"] is not None)
    return Machine(
        **{name: rows[0][name] for name in (*MACHINE_FIELDS, *MACHINE_NODE_FIELDS)}, interfaces=nics
    )


def _interface_of(row: RowMapping, prefix: str = "") -> MachineInterface:
    def column(name: str) -> Any:
        return row[prefix + name]

    return MachineInterface(
        column("name"),
        column("mac"),
        Attachment(column("attachment_kind"), column("source"), column("macvlan_mode"), column("ovs")),
        column("vlan_id"),
        column("mode"),
        column("ips"),
        column("boot"),
        column("model"),
    )


def insert_machine(
    tx: Transaction, item: Machine, explanation: Any, revision: int, domain_id: DomainId | None = None
) -> None:
    """Insert a machine, its node and its NICs with one statement each.

    `domain_id`: None for the default domain.
    """
    tx.write(insert(nodes).values(node_row(node_of(tx, item, domain_id)) | {"revision": revision}))
    machine_row = machine_row_of(item) | {"explanation": explanation, "revision": revision}
    tx.write(insert(machines).values(machine_row))
    insert_nics(tx, item)


def insert_nics(tx: Transaction, item: Machine) -> None:
    """Insert the NICs of a machine in one statement."""
    if rows := nic_rows(item):
        tx.write(insert(machine_interfaces), rows)


def remove_machines(tx: Transaction, keys: Sequence[SystemId]) -> None:
    """Delete machines, their nodes and their held addresses; InUse names records that need one of them."""
    tx.change_world()
    hosts = tables.hosts
    query = select(nodes.c.hostname, hosts.c.name).join(hosts, hosts.c.system_id == nodes.c.system_id)
    for hostname, host in tx.rows(query.where(nodes.c.system_id.in_(keys))):
        name_users("machine", hostname, [f"host {host}"])
    remove_nodes(tx, keys)


def node_of(tx: Transaction, item: Machine, domain_id: DomainId | None = None) -> Node:
    """The node of a new machine. `domain_id`: None for the default domain."""
    return Node(
        item.system_id,
        item.hostname,
        NodeKind.MACHINE,
        zone_id=item.zone_id,
        resource_pool_id=item.resource_pool_id,
        domain_id=DomainId(tx.default_groups["domain_id"]) if domain_id is None else domain_id,
        tags=item.tags,
    )


def node_row(node: Node) -> dict[str, Any]:
    """The row of a machine's node."""
    return {field.name: getattr(node, field.name) for field in fields(node) if field.name != "interfaces"}


def machine_row_of(item: Machine) -> dict[str, Any]:
    """The row of a machine, without the fields of its node."""
    return {name: getattr(item, name) for name in MACHINE_FIELDS}


def nic_rows(item: Machine) -> Sequence[dict[str, Any]]:
    """The rows of a machine's NICs, in order."""
    return [
        {
            "system_id": item.system_id,
            "position": place,
            "name": nic.name,
            "mac": nic.mac,
            "attachment_kind": nic.attachment.kind,
            "source": nic.attachment.source,
            "macvlan_mode": nic.attachment.mode,
            "ovs": nic.attachment.ovs,
            "vlan_id": nic.vlan_id,
            "mode": nic.mode,
            "ips": nic.ips,
            "boot": nic.boot,
            "model": nic.model,
            "ours": item.origin is not MachineOrigin.ADOPTED,
        }
        for place, nic in enumerate(item.interfaces)
    ]
