"""Nodes and their interfaces in the database."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select, update

from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.ids import InterfaceId, MacAddress, SystemId
from hostloom.model.network import SEEN_KINDS
from hostloom.model.node import Node, NodeInterface, NodeKind, VlanSource
from hostloom.store import tables
from hostloom.store.integrity import find_broken
from hostloom.store.node_rows import NODE_FIELDS, interface_row, read_nodes, remove_nodes
from hostloom.store.records import name_users, raise_sequence
from hostloom.store.tables import node_interface_addresses, node_interfaces, nodes
from hostloom.store.transaction import Transaction

#: The id of an interface that is not stored yet.
NO_ID = InterfaceId(0)
#: Prefix of temporary names during renaming; its blank cannot occur in the name of a link.
RENAMED = "renamed "
#: Limit of remembered absent interfaces per node.
MAX_ABSENT = 256


class Nodes:
    """Nodes; the node of a machine has its name, zone, resource pool and tags."""

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
        """The node with this interface; of several nodes the first by system id."""
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
        """Insert a node with its interfaces; AlreadyExists for a used system id or hostname."""
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
        """Write all fields except the interfaces; the node's machine changes with it."""
        return self._touch(item, self._row(item))

    def delete(self, key: SystemId) -> None:
        """Delete a node with its interfaces; InUse names its host, machine and reserved addresses."""
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
        """Write the time of the scan, without a new generation and revision, because no decision uses it."""
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
        place = next((n for n, candidate in enumerate(node.interfaces) if candidate.id == interface.id), None)
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
        return {name: getattr(item, name) for name in NODE_FIELDS} | {"revision": revision}

    def _touch(self, item: Node, values: dict[str, Any]) -> Node:
        """Write columns and increment the generations of the node and its machine."""
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

    def _replace(self, node: Node, new_interfaces: Sequence[NodeInterface]) -> Node:
        """Delete, update and insert rows so that the node has exactly these interfaces, matched by id."""
        stored_ids = {interface.id for interface in node.interfaces}
        kept_ids = {interface.id for interface in new_interfaces}
        self._remove([interface for interface in node.interfaces if interface.id not in kept_ids], node)
        self._fetch_back(kept_ids - stored_ids - {NO_ID})
        self._rewrite_changed(node, new_interfaces)
        placed = list(enumerate(new_interfaces))
        new = [(place, interface) for place, interface in placed if interface.id not in stored_ids]
        added = {interface.name: interface for interface in self._insert(node.system_id, new)}
        interfaces = (added.get(interface.name, interface) for interface in new_interfaces)
        return replace(node, interfaces=tuple(interfaces))

    def _remove(self, interfaces: Sequence[NodeInterface], node: Node) -> None:
        self._put_away(node.system_id, interfaces)
        if interfaces:
            removed_ids = [interface.id for interface in interfaces]
            self.tx.write(delete(node_interfaces).where(node_interfaces.c.id.in_(removed_ids)))

    def _rewrite_changed(self, node: Node, new_interfaces: Sequence[NodeInterface]) -> None:
        """Update the interfaces that have changed or moved to another place."""
        stored = {interface.id: (place, interface) for place, interface in enumerate(node.interfaces)}
        kept_items = [item for item in enumerate(new_interfaces) if item[1].id in stored]
        changed = [item for item in kept_items if stored[item[1].id] != item]
        self._free_names([item for _, item in changed if stored[item.id][1].name != item.name])
        for place, interface in changed:
            self._rewrite(node.system_id, place, interface)

    def _free_names(self, renamed: Sequence[NodeInterface]) -> None:
        """Rename interfaces temporarily, because two interfaces may swap their names."""
        for interface in renamed:
            statement = update(node_interfaces).where(node_interfaces.c.id == interface.id)
            self.tx.write(statement.values(name=f"{RENAMED}{interface.id}"))

    def _put_away(self, system_id: SystemId, absent_interfaces: Iterable[NodeInterface]) -> None:
        """Store the operator's settings of absent interfaces, up to a limit per node."""
        table = tables.absent_interfaces
        rows = [_absent_row(system_id, item) for item in absent_interfaces if item.tags or _is_set(item)]
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
            row = interface_row(system_id, place, interface)
            statement = insert(node_interfaces).values(row).returning(node_interfaces.c.id)
            with self.tx.guarded(lambda row=row: find_broken(self.tx, node_interfaces, row)):  # type: ignore[misc]
                key = self.tx.write(statement).scalar_one()
            stored.append(replace(interface, id=InterfaceId(key)))
        if any(interface.id for _, interface in placed) and self.tx.is_postgresql:
            raise_sequence(self.tx, node_interfaces)
        self._insert_addresses(stored)
        return tuple(stored)

    def _rewrite(self, system_id: SystemId, place: int, interface: NodeInterface) -> None:
        row = interface_row(system_id, place, interface)
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


def _is_set(interface: NodeInterface) -> bool:
    """Whether an operator has set the VLAN of the interface."""
    return interface.vlan_source is VlanSource.OPERATOR


def _absent_row(system_id: SystemId, interface: NodeInterface) -> dict[str, Any]:
    return {
        "id": interface.id,
        "system_id": system_id,
        "name": interface.name,
        "kind": interface.kind,
        "mac": interface.mac,
        "vlan_id": interface.vlan_id if _is_set(interface) else None,
        "vlan_source": interface.vlan_source,
        "tags": interface.tags,
    }


def _kept(interface: NodeInterface, stored: NodeInterface | None) -> NodeInterface:
    """Combine the scanned interface with the id and the operator settings of the stored one, if any."""
    if stored is None:
        return interface
    merged = replace(interface, id=stored.id, tags=stored.tags or interface.tags)
    if _is_set(stored) and not _is_set(interface):
        merged = replace(merged, vlan_id=stored.vlan_id, vlan_source=stored.vlan_source)
    return merged
