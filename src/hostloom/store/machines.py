"""Machines, their NICs and disks in the database."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    or_,
    select,
    true,
    union_all,
    update,
)

from hostloom.model.dhcp import PublishedNic
from hostloom.model.drift import Drift
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.resources import AlreadyExists, NotFound, WrongState
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.ids import HostId, MacAddress, SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState, PowerState
from hostloom.model.plan import Explanation
from hostloom.serialization import from_json
from hostloom.store import tables
from hostloom.store.integrity import find_broken
from hostloom.store.node_rows import (
    MACHINE_NODE_FIELDS,
    insert_machine,
    insert_nics,
    machine_row_of,
    nic_rows,
    node_of,
    node_row,
    read_machine,
    read_machines,
    remove_machines,
    select_machines,
)
from hostloom.store.tables import machine_interfaces, machines, nodes
from hostloom.store.transaction import Transaction

#: Fields that snapshots contain.
SEEN_FIELDS = ("host_id", "cores", "memory_mib", "disks", "origin", "interfaces")
#: Fields that a constraint or the node's row contains.
KEY_FIELDS = ("uuid", *MACHINE_NODE_FIELDS)


class Machines:
    """Machines; every machine is also a node, whose row contains its name."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        #: The machines that `get` read last, which `update` compares with if the generation is the same.
        self._read: dict[SystemId, Machine] = {}

    def get(self, key: SystemId) -> Machine:
        """By system id; NotFound."""
        machine = read_machine(self.tx, machines.c.system_id == key)
        if machine is None:
            raise NotFound("machine", key)
        self._read[key] = machine
        return machine

    def find(self, name: str) -> Machine | None:
        """By hostname."""
        return read_machine(self.tx, nodes.c.hostname == name)

    def find_by_uuid(self, host_id: HostId, uuid: str) -> Machine | None:
        """A machine on a host by its UUID."""
        return read_machine(self.tx, and_(machines.c.host_id == host_id, machines.c.uuid == uuid))

    def find_by_smbios(self, uuid: str) -> Machine | None:
        """The machine with this SMBIOS UUID on any host; of several the first by system id."""
        first = select(machines.c.system_id).where(machines.c.uuid == uuid).order_by(machines.c.system_id)
        return read_machine(self.tx, machines.c.system_id == first.limit(1).scalar_subquery())

    def find_by_mac(self, mac: MacAddress) -> Machine | None:
        """The machine with this NIC, a composed one before an adopted one; one statement."""
        table, bare = machine_interfaces, tables.node_interfaces
        of_host = select(table.c.system_id, table.c.ours).where(table.c.mac == mac)
        enlisted = (
            select(bare.c.system_id, true())
            .join(machines, machines.c.system_id == bare.c.system_id)
            .where(bare.c.mac == mac)
        )
        both = union_all(of_host, enlisted).subquery()
        first = select(both.c.system_id).order_by(both.c.ours.desc(), both.c.system_id).limit(1)
        return read_machine(self.tx, machines.c.system_id == first.scalar_subquery())

    def published_nics(self) -> Sequence[PublishedNic]:
        """DHCP settings of all machines, by system id; one statement."""
        nic = machine_interfaces
        query = (
            select(nodes.c.system_id, nodes.c.hostname, machines.c.uuid, nic.c.name, nic.c.mac, nic.c.ips)
            .join(machines, machines.c.system_id == nodes.c.system_id)
            .join(nic, nic.c.system_id == nodes.c.system_id)
            .where(machines.c.dhcp_published)
            .order_by(nodes.c.system_id, nic.c.position)
        )
        return [PublishedNic(*row) for row in self.tx.rows(query)]

    def overdue(self, now: float) -> list[Machine]:
        """Machines with an overdue report, by system id."""
        page = select_machines().where(machines.c.commission_by <= now).order_by(machines.c.system_id)
        return read_machines(self.tx, page)

    def of_host(self, host_id: HostId) -> list[Machine]:
        """The machines on one host, by name."""
        page = select_machines().where(machines.c.host_id == host_id).order_by(nodes.c.hostname)
        return read_machines(self.tx, page)

    def generations(self, host_id: HostId) -> dict[SystemId, tuple[int, tuple[Drift, ...]]]:
        """The generation and drift of every machine on a host, in one statement."""
        columns = (machines.c.system_id, machines.c.generation, machines.c.drift)
        query = select(*columns).where(machines.c.host_id == host_id)
        return {row.system_id: (row.generation, row.drift) for row in self.tx.rows(query)}

    def elsewhere(self, host_id: HostId | None, uuids: Sequence[str]) -> list[Machine]:
        """Machines with one of these UUIDs on other hosts, by system id."""
        if not uuids:
            return []
        is_elsewhere = machines.c.host_id.is_not(None) if host_id is None else machines.c.host_id != host_id
        page = (
            select_machines().where(machines.c.uuid.in_(uuids), is_elsewhere).order_by(machines.c.system_id)
        )
        return read_machines(self.tx, page)

    def removed_since(self, revision: int, keys: Sequence[SystemId]) -> set[SystemId]:
        """The machines that were removed, or may have been removed, after a revision."""
        floor = self.tx.read(select(tables.world.c.floor)).scalar_one()
        if revision < floor:
            return set(keys)
        removals = tables.removals
        query = select(removals.c.key).where(
            removals.c.kind == "machines", removals.c.revision > revision, removals.c.key.in_(keys)
        )
        return {SystemId(key) for (key,) in self.tx.rows(query)}

    def holders(self, macs: Sequence[MacAddress]) -> dict[MacAddress, set[SystemId]]:
        """The machines with these MACs, in one statement."""
        nic = machine_interfaces
        holders_by_mac: dict[MacAddress, set[SystemId]] = {}
        for row in self.tx.rows(select(nic.c.mac, nic.c.system_id).where(nic.c.mac.in_(macs))):
            holders_by_mac.setdefault(row.mac, set()).add(row.system_id)
        return holders_by_mac

    def enlisted_keys(
        self, uuids: Sequence[str], macs: Sequence[MacAddress]
    ) -> dict[str | MacAddress, SystemId]:
        """Enlisted machines by UUID and MAC, of several the first by id; one statement."""
        nic = tables.node_interfaces
        by_uuid, by_mac = machines.c.uuid.in_(uuids), nic.c.mac.in_(macs)
        query = (
            select(machines.c.system_id, machines.c.uuid, nic.c.mac)
            .outerjoin(nic, and_(nic.c.system_id == machines.c.system_id, by_mac))
            .where(machines.c.origin == MachineOrigin.ENLISTED, or_(by_uuid, nic.c.mac.is_not(None)))
            .order_by(machines.c.system_id)
        )
        keys: dict[str | MacAddress, SystemId] = {}
        for row in self.tx.rows(query):
            keys.setdefault(row.uuid, row.system_id)
            if row.mac is not None:
                keys.setdefault(row.mac, row.system_id)
        return keys

    def list(self, after: SystemId | None = None, limit: int | None = None) -> list[Machine]:
        """By system id."""
        page = select_machines().order_by(machines.c.system_id).limit(limit)
        if after is not None:
            page = page.where(machines.c.system_id > after)
        return read_machines(self.tx, page)

    def explanation(self, system_id: SystemId) -> Explanation | None:
        """The stored explanation of the placement, or None."""
        query = select(machines.c.explanation).where(machines.c.system_id == system_id)
        row = self.tx.read(query).first()
        if row is None:
            raise NotFound("machine", system_id)
        return None if row[0] is None else from_json(row[0], Explanation)

    def some(self, keys: Sequence[SystemId]) -> Sequence[Machine]:
        """The existing machines among these keys, in the given order."""
        if len(keys) == 1:
            machine = read_machine(self.tx, machines.c.system_id == keys[0])
            return [] if machine is None else [machine]
        page = select_machines().where(machines.c.system_id.in_(keys))
        by_key = {machine.system_id: machine for machine in read_machines(self.tx, page)}
        return [by_key[key] for key in keys if key in by_key]

    def add(self, item: Machine) -> Machine:
        """Insert a machine and its node; AlreadyExists for a used name, UUID or MAC."""
        revision = self.tx.change_world()
        placed = self.tx.in_groups(item)
        with self.tx.guarded(lambda: self._explain(placed)):
            insert_machine(self.tx, placed, None, revision)
        return placed

    def update(self, item: Machine) -> Machine:
        """Write the changes; the node's row and the NICs are written only if they changed."""
        stored = self._read.pop(item.system_id, None)
        if stored is None or stored.generation != item.generation:
            stored = self.get(item.system_id)
        if stored.generation != item.generation:
            raise StaleGeneration("machine", item.hostname, item.generation, stored.generation)
        machine_row = machine_row_of(item) | {"generation": item.generation + 1}
        if all(getattr(item, name) == getattr(stored, name) for name in (*KEY_FIELDS, *SEEN_FIELDS)):
            self._write(item, machine_row)
        else:
            with self.tx.guarded(lambda: self._explain(item)):
                self._write(item, machine_row | {"revision": self.tx.change_world()})
                self._update_node(item, stored)
                self._update_nics(item, stored)
        return replace(item, generation=item.generation + 1)

    def move(
        self,
        keys: Sequence[SystemId],
        before: MachineState,
        *,
        state: MachineState | None = None,
        power: PowerState | None = None,
        dhcp_published: bool | None = None,
        owner: str | None = None,
        on_demand: bool | None = None,
    ) -> None:
        """Write the given values in one statement, without a generation check; NotFound, WrongState."""
        changes = {
            "state": state,
            "power": power,
            "dhcp_published": dhcp_published,
            "owner": owner,
            "on_demand": on_demand,
        }
        values: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
        same = (machines.c.system_id.in_(keys), machines.c.state == before)
        values["generation"] = machines.c.generation + 1
        if self._written(same, values) != len(keys):
            self._move_rest(keys, before, values)

    def _move_rest(self, keys: Sequence[SystemId], before: MachineState, values: dict[str, Any]) -> None:
        """Move the machines that an update missed, under the lock of the revision.

        The update does not see a machine that reached the state while the update waited for the lock.
        """
        remaining = [machine for machine in map(self.get, keys) if machine.state != values.get("state")]
        for machine in remaining:
            if machine.state != before:
                raise WrongState("machine", machine.hostname, machine.state, f"it must be {before}")
        self._written([machines.c.system_id.in_([machine.system_id for machine in remaining])], values)

    def _written(self, same: Sequence[ColumnElement[bool]], values: dict[str, Any]) -> int:
        """Lock the revision before the row, like all writers, even if the revision does not change."""
        world = select(tables.world.c.id).with_for_update().scalar_subquery()
        return self.tx.write(update(machines).where(*same, world == 1).values(values)).rowcount

    def _write(self, item: Machine, machine_row: dict[str, Any]) -> None:
        same = (machines.c.system_id == item.system_id, machines.c.generation == item.generation)
        if not self._written(same, machine_row):
            raise StaleGeneration("machine", item.hostname, item.generation)

    def _update_nics(self, item: Machine, stored: Machine) -> None:
        if item.interfaces != stored.interfaces or item.origin != stored.origin:
            of_machine = machine_interfaces.c.system_id == item.system_id
            self.tx.write(delete(machine_interfaces).where(of_machine))
            insert_nics(self.tx, item)

    def delete(self, key: SystemId) -> None:
        """Delete a machine, its node and its addresses; InUse names the host that runs on it."""
        remove_machines(self.tx, [self.get(key).system_id])

    def _update_node(self, item: Machine, stored: Machine) -> None:
        changed = {
            name: getattr(item, name)
            for name in MACHINE_NODE_FIELDS
            if getattr(item, name) != getattr(stored, name)
        }
        if changed:
            changed |= {"generation": nodes.c.generation + 1, "revision": self.tx.change_world()}
            self.tx.write(update(nodes).where(nodes.c.system_id == item.system_id).values(changed))

    def _explain(self, item: Machine) -> HostloomError | None:
        error = find_broken(self.tx, nodes, node_row(node_of(self.tx, item)))
        error = error or find_broken(self.tx, machines, machine_row_of(item), owner=nodes)
        if isinstance(error, AlreadyExists):
            return AlreadyExists("machine", error.key)
        return error or self._explain_nics(item)

    def _explain_nics(self, item: Machine) -> HostloomError | None:
        for row in nic_rows(item):
            error = find_broken(self.tx, machine_interfaces, row, owner=machines)
            if isinstance(error, AlreadyExists):
                return AlreadyExists("MAC address", row["mac"], "belongs to another machine")
            if error is not None:
                return error
        return None
