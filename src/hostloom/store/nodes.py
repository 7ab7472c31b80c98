"""Nodes and their interfaces in the database."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Row, Select, delete, insert, select, update

from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.ids import InterfaceId, MacAddress, SystemId
from hostloom.model.machine import MachineOrigin
from hostloom.model.network import SEEN_KINDS
from hostloom.model.node import Node, NodeInterface, NodeKind, VlanSource
from hostloom.store import tables
from hostloom.store.integrity import find_broken
from hostloom.store.records import name_users, raise_sequence
from hostloom.store.tables import node_interface_addresses, node_interfaces, nodes
from hostloom.store.transaction import Transaction, columns_of
from hostloom.store.types import interface_of

#: The id of an interface that is not stored yet.
NO_ID = InterfaceId(0)
#: An interface has this and its id for a name while it is renamed: no link's name has a blank.
RENAMED = "renamed "
#: Interfaces of one node that are away and remembered.
MAX_ABSENT = 256
_FIELDS = [each.name for each in fields(Node) if each.name != "interfaces"]
_INTERFACE_FIELDS = [each.name for each in fields(NodeInterface) if each.name != "addresses"]


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
            **{name: columns_of(row)[name] for name in _FIELDS},
            interfaces=tuple(by_node.get(row.system_id, ())),
        )
        for row in rows
    ]


class Nodes:
    """Nodes; those of machines have the name, zone, resource pool and tags of their machine."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def get(self, key: SystemId) -> Node:
        """By system id; NotFound."""
        matching_nodes = read_nodes(self.tx, select(nodes).where(nodes.c.system_id == key))
        if not matching_nodes:
            raise NotFound("node", key)
        return matching_nodes[0]

    def find(self, name: str) -> Node | None:
        """By hostname."""
        matching_nodes = read_nodes(self.tx, select(nodes).where(nodes.c.hostname == name))
        return matching_nodes[0] if matching_nodes else None

    def find_by_mac(self, mac: MacAddress) -> Node | None:
        """The node with this interface; of several the first by system id."""
        has_mac = node_interfaces.c.mac == mac
        first = (
            select(node_interfaces.c.system_id).where(has_mac).order_by(node_interfaces.c.system_id).limit(1)
        )
        matching_nodes = read_nodes(
            self.tx, select(nodes).where(nodes.c.system_id == first.scalar_subquery())
        )
        return matching_nodes[0] if matching_nodes else None

    def list(self, after: SystemId | None = None, limit: int | None = None) -> list[Node]:
        """By system id."""
        page = select(nodes).order_by(nodes.c.system_id).limit(limit)
        if after is not None:
            page = page.where(nodes.c.system_id > after)
        return read_nodes(self.tx, page)

    def add(self, item: Node) -> Node:
        """Insert it with its interfaces; AlreadyExists on a taken system id or hostname."""
        self.tx.change_world()
        item = self.tx.in_groups(item)
        values = self._row(item)
        with self.tx.atomic():
            with self.tx.guarded(lambda: find_broken(self.tx, nodes, values)):
                self.tx.write(insert(nodes).values(values))
            placed = list(enumerate(item.interfaces))
            interfaces = self._insert(item.system_id, placed)
            return replace(item, interfaces=interfaces)

    def update(self, item: Node) -> Node:
        """Write all but the interfaces; a machine of that node changes with it."""
        return self._touch(item, self._row(item))

    def delete(self, key: SystemId) -> None:
        """Remove it with its interfaces; InUse names its host, machine and reserved addresses."""
        self.tx.change_world()
        node = self.get(key)
        name_users("node", node.hostname, self._users(key))
        remove_nodes(self.tx, [key])

    def replace_interfaces(
        self, system_id: SystemId, interfaces: Sequence[NodeInterface], scanned_at: float | None = None
    ) -> Node:
        """Store the interfaces of a scan; the generation increases only if an interface changed."""
        self.tx.change_world()
        node = self.get(system_id)
        if scanned_at is not None:
            node = self._scanned(node, scanned_at)
        stored_interfaces = {interface.id: interface for interface in node.interfaces}
        claimed = {interface.id for interface in interfaces}
        if claimed - stored_interfaces.keys() - {NO_ID}:
            stored_interfaces |= {interface.id: interface for interface in self.absent(system_id)}
        by_name = {interface.name: interface for interface in node.interfaces if interface.id not in claimed}
        new_interfaces = [
            _kept(interface, stored_interfaces.get(interface.id) or by_name.get(interface.name))
            for interface in interfaces
        ]
        if tuple(new_interfaces) == node.interfaces:
            return node
        with self.tx.atomic():
            return self._touch(self._replace(node, new_interfaces), {})

    def _scanned(self, node: Node, scanned_at: float) -> Node:
        """Write when it was scanned: no decision rests on that, so generation and revision stay."""
        is_node = nodes.c.system_id == node.system_id
        self.tx.write(update(nodes).where(is_node).values(scanned_at=scanned_at))
        return replace(node, scanned_at=scanned_at)

    def absent(self, system_id: SystemId) -> Sequence[NodeInterface]:
        """Interfaces with operator settings that the last scan did not find, by id."""
        table = tables.absent_interfaces
        query = select(table).where(table.c.system_id == system_id).order_by(table.c.id)
        return [
            NodeInterface(
                InterfaceId(row.id),
                row.name,
                row.kind,
                row.mac,
                row.vlan_id,
                row.vlan_source,
                tags=row.tags,
            )
            for row in self.tx.rows(query)
        ]

    def update_interface(self, system_id: SystemId, interface: NodeInterface) -> Node:
        """Store one interface as given; NotFound unless the node has it."""
        self.tx.change_world()
        node = self.get(system_id)
        place = next((n for n, each in enumerate(node.interfaces) if each.id == interface.id), None)
        if place is None:
            raise NotFound("interface", interface.id)
        interfaces = (*node.interfaces[:place], interface, *node.interfaces[place + 1 :])
        with self.tx.atomic():
            self._rewrite(system_id, place, interface)
            return self._touch(replace(node, interfaces=interfaces), {})

    # -- shared ------------------------------------------------------------------------------------------

    def _row(self, item: Node) -> dict[str, Any]:
        revision = self.tx.change_world()
        item = self.tx.in_groups(item)
        return {name: getattr(item, name) for name in _FIELDS} | {"revision": revision}

    def _touch(self, item: Node, values: dict[str, Any]) -> Node:
        """Write columns and count the generation up, of its machine too."""
        revision = self.tx.change_world()
        values = values | {"generation": item.generation + 1, "revision": revision}
        same = (nodes.c.system_id == item.system_id, nodes.c.generation == item.generation)
        checked = {"system_id": item.system_id} | values
        with self.tx.guarded(lambda: find_broken(self.tx, nodes, checked)):
            changed_rows = self.tx.write(update(nodes).where(*same).values(values)).rowcount
        if not changed_rows:
            current_generation = self.get(item.system_id).generation
            raise StaleGeneration("node", item.hostname, item.generation, current_generation)
        if item.kind is NodeKind.MACHINE and "hostname" in values:
            machines = tables.machines
            self.tx.write(
                update(machines)
                .where(machines.c.system_id == item.system_id)
                .values(generation=machines.c.generation + 1, revision=revision)
            )
        return replace(item, generation=item.generation + 1)

    def _replace(self, node: Node, wanted: Sequence[NodeInterface]) -> Node:
        """Delete, rewrite and insert interfaces so that they are the wanted ones, matched by id."""
        before = {interface.id: (place, interface) for place, interface in enumerate(node.interfaces)}
        kept = {interface.id for interface in wanted}
        gone = [interface for interface in node.interfaces if interface.id not in kept]
        self._put_away(node.system_id, gone)
        self._fetch_back(kept - before.keys() - {NO_ID})
        if gone:
            self.tx.write(
                delete(node_interfaces).where(node_interfaces.c.id.in_([interface.id for interface in gone]))
            )
        changed = [
            (place, interface)
            for place, interface in enumerate(wanted)
            if interface.id in before and before[interface.id] != (place, interface)
        ]
        self._free_names(
            [interface for _, interface in changed if before[interface.id][1].name != interface.name]
        )
        for place, each in changed:
            self._rewrite(node.system_id, place, each)
        new = [(place, interface) for place, interface in enumerate(wanted) if interface.id not in before]
        added = {interface.name: interface for interface in self._insert(node.system_id, new)}
        return replace(node, interfaces=tuple(added.get(interface.name, interface) for interface in wanted))

    def _free_names(self, renamed: Sequence[NodeInterface]) -> None:
        """Rename interfaces temporarily, because two interfaces may swap their names."""
        for interface in renamed:
            statement = update(node_interfaces).where(node_interfaces.c.id == interface.id)
            self.tx.write(statement.values(name=f"{RENAMED}{interface.id}"))

    def _put_away(self, system_id: SystemId, absent_interfaces: Iterable[NodeInterface]) -> None:
        """Remember the operator's word on interfaces that are away, the latest ones of a node."""
        table = tables.absent_interfaces
        rows = [
            {
                "id": interface.id,
                "system_id": system_id,
                "name": interface.name,
                "kind": interface.kind,
                "mac": interface.mac,
                "vlan_id": interface.vlan_id if interface.vlan_source is VlanSource.OPERATOR else None,
                "vlan_source": interface.vlan_source,
                "tags": interface.tags,
            }
            for interface in absent_interfaces
            if interface.tags or interface.vlan_source is VlanSource.OPERATOR
        ]
        if rows:
            self.tx.write(insert(table), rows)
            ids_of_node = select(table.c.id).where(table.c.system_id == system_id).order_by(table.c.id.desc())
            old = [row.id for row in self.tx.rows(ids_of_node.offset(MAX_ABSENT))]
            self.tx.write(delete(table).where(table.c.id.in_(old)))

    def _fetch_back(self, keys: Collection[InterfaceId]) -> None:
        table = tables.absent_interfaces
        if keys:
            self.tx.write(delete(table).where(table.c.id.in_(keys)))

    def _insert(
        self, system_id: SystemId, placed: Sequence[tuple[int, NodeInterface]]
    ) -> tuple[NodeInterface, ...]:
        """Insert interfaces at their places; an id of 0 is replaced by a new one."""
        stored = []
        for place, interface in placed:
            row = _interface_row(system_id, place, interface)
            statement = insert(node_interfaces).values(row).returning(node_interfaces.c.id)
            with self.tx.guarded(lambda row=row: find_broken(self.tx, node_interfaces, row)):  # type: ignore[misc]
                key = self.tx.write(statement).scalar_one()
            stored.append(replace(interface, id=InterfaceId(key)))
        if any(interface.id for _, interface in placed) and self.tx.is_postgresql:
            raise_sequence(self.tx, node_interfaces)
        self._insert_addresses(stored)
        return tuple(stored)

    def _rewrite(self, system_id: SystemId, place: int, interface: NodeInterface) -> None:
        row = _interface_row(system_id, place, interface)
        statement = update(node_interfaces).where(node_interfaces.c.id == interface.id).values(row)
        with self.tx.guarded(lambda: find_broken(self.tx, node_interfaces, row)):
            self.tx.write(statement)
        of_interface = node_interface_addresses.c.interface_id == interface.id
        self.tx.write(delete(node_interface_addresses).where(of_interface))
        self._insert_addresses([interface])

    def _insert_addresses(self, interfaces: Iterable[NodeInterface]) -> None:
        rows = [
            {
                "interface_id": interface.id,
                "position": n,
                "ip": address.ip,
                "prefix_length": address.network.prefixlen,
            }
            for interface in interfaces
            for n, address in enumerate(interface.addresses)
        ]
        if rows:
            self.tx.write(insert(node_interface_addresses), rows)

    def _users(self, key: SystemId) -> Sequence[str]:
        hosts, machines, held = tables.hosts, tables.machines, tables.addresses
        hosts_on_node = self.tx.rows(select(hosts.c.name).where(hosts.c.system_id == key))
        machine = self.tx.rows(select(nodes.c.hostname).join(machines).where(nodes.c.system_id == key))
        conditions = (held.c.system_id == key, held.c.kind.not_in(SEEN_KINDS))
        reserved = self.tx.rows(select(held.c.ip).where(*conditions).order_by(held.c.ip))
        return [
            *(f"host {name}" for (name,) in hosts_on_node),
            *(f"machine {name}" for (name,) in machine),
            *(f"address {ip}" for (ip,) in reserved),
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


def _kept(interface: NodeInterface, stored: NodeInterface | None) -> NodeInterface:
    """Combine the scanned interface with the id and the operator settings of the stored one, if any."""
    if stored is None:
        return interface
    merged = replace(interface, id=stored.id, tags=stored.tags or interface.tags)
    if stored.vlan_source is VlanSource.OPERATOR and interface.vlan_source is not VlanSource.OPERATOR:
        merged = replace(merged, vlan_id=stored.vlan_id, vlan_source=stored.vlan_source)
    return merged


def _interface_row(system_id: SystemId, place: int, interface: NodeInterface) -> dict[str, Any]:
    row = {name: getattr(interface, name) for name in _INTERFACE_FIELDS}
    if not interface.id:
        del row["id"]
    return row | {"system_id": system_id, "position": place}
