"""KVM hosts in the database, and the resources that their machines use."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Row, select, update

from hostloom.model.attachment import AttachKind
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.host import Correlation, Host, PlacedInterface, PlacedMachine
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Disk, Machine, MachineOrigin
from hostloom.store import tables
from hostloom.store.node_rows import remove_nodes
from hostloom.store.records import Records
from hostloom.store.transaction import Transaction, columns_of

_PLAIN = [field.name for field in fields(Host) if field.name != "correlation"]


class Hosts(Records[Host, HostId]):
    """Hosts; composed machines prevent their deletion, adopted ones are deleted with them."""

    in_world = True

    def add(self, item: Host) -> Host:
        """Insert a host, in the default groups if it names none; an id of 0 is replaced by a new one."""
        self.tx.change_world()
        return super().add(self.tx.in_groups(item))

    def to_row(self, item: Host) -> dict[str, Any]:
        """Convert a host to a row; the correlation has several columns."""
        values = {name: getattr(item, name) for name in _PLAIN if name != "id" or item.id}
        match = item.correlation
        return values | {
            "correlation_state": match.state,
            "system_id": match.system_id,
            "evidence": match.evidence,
            "matched": match.matched,
            "candidates": match.candidates,
            "revision": self.tx.change_world(),
        }

    def from_row(self, row: Row[Any]) -> Host:
        """Convert the stored value back."""
        return host_of(row)

    def record_facts(self, stored: Host, host: Host) -> Host:
        """Write a reading; the generation increases only for changes that matter to plans and users."""
        if _lasting(stored) != _lasting(host):
            return self.update(host)
        hosts = self.table
        values = {
            "facts_at": host.facts_at,
            "storage_pools": host.storage_pools,
            "findings": host.findings,
            "read_revision": host.read_revision,
        }
        statement = (
            update(hosts)
            .where(hosts.c.id == host.id, hosts.c.generation == host.generation)
            .values(values | {"revision": self.tx.change_world()})
        )
        if not self.tx.write(statement).rowcount:
            raise StaleGeneration(self.kind, host.name, host.generation, self.get_generation(host.id))
        return host

    def users(self, item: Host) -> list[str]:
        """The machines that hostloom composed on the host."""
        machines, nodes = tables.machines, tables.nodes
        query = (
            select(nodes.c.hostname)
            .join(machines)
            .where(machines.c.host_id == item.id, machines.c.origin != MachineOrigin.ADOPTED)
            .order_by(nodes.c.hostname)
        )
        return [f"machine {name}" for (name,) in self.tx.rows(query)]

    def remove(self, item: Host) -> None:
        """Delete the host and the records of its adopted machines."""
        query = select(tables.machines.c.system_id).where(tables.machines.c.host_id == item.id)
        remove_nodes(self.tx, [row[0] for row in self.tx.rows(query)])
        super().remove(item)
        self.tx.note_removed("hosts", [item.id])


def _lasting(host: Host) -> Host:
    """The host without the fields that change at every reading."""
    pools = tuple(replace(storage_pool, free_bytes=0) for storage_pool in host.storage_pools)
    return replace(host, storage_pools=pools, facts_at=None, findings=(), read_revision=0)


def host_of(row: Row[Any]) -> Host:
    """Convert a row to a host."""
    columns = columns_of(row)
    match = Correlation(
        columns["correlation_state"],
        columns["system_id"],
        columns["evidence"],
        columns["matched"],
        columns["candidates"],
    )
    return Host(**{name: columns[name] for name in _PLAIN}, correlation=match)


def read_placed(tx: Transaction, condition: Any) -> list[tuple[HostId, SystemId, PlacedMachine]]:
    """Machines on hosts as (host, system id, resources), in two statements.

    Disks count in full towards `reserved_bytes`, except those of adopted machines, which only libvirt's
    free figure includes (see model.host.bytes_left).
    """
    machines = tables.machines
    page = select(
        machines.c.system_id,
        machines.c.host_id,
        machines.c.cores,
        machines.c.memory_mib,
        machines.c.disks,
        machines.c.origin,
        tables.nodes.c.hostname,
    ).join(tables.nodes)
    rows = tx.rows(page.where(machines.c.host_id.is_not(None), condition))
    if not rows:
        return []
    interfaces = _read_placed_interfaces(tx, condition)
    return [
        (
            row.host_id,
            row.system_id,
            PlacedMachine(
                row.hostname,
                row.cores,
                row.memory_mib,
                tuple(interfaces.get(row.system_id, ())),
                {} if row.origin is MachineOrigin.ADOPTED else bytes_by_pool(row.disks),
            ),
        )
        for row in rows
    ]


def _read_placed_interfaces(tx: Transaction, condition: Any) -> dict[str, list[PlacedInterface]]:
    """NICs that use a host's interfaces or networks, by system id."""
    nics = tables.machine_interfaces
    query = (
        select(nics.c.system_id, nics.c.attachment_kind, nics.c.source, nics.c.macvlan_mode)
        .join(tables.machines)
        .where(condition, nics.c.attachment_kind != AttachKind.OTHER)
        .order_by(nics.c.system_id, nics.c.position)
    )
    interfaces: dict[str, list[PlacedInterface]] = {}
    for row in tx.rows(query):
        placed_interface = PlacedInterface(row.attachment_kind, row.source, row.macvlan_mode)
        interfaces.setdefault(row.system_id, []).append(placed_interface)
    return interfaces


def bytes_by_pool(disks: Iterable[Disk]) -> dict[str, int]:
    """Sizes of disks, summed up by storage pool."""
    sizes: dict[str, int] = {}
    for disk in disks:
        sizes[disk.pool] = sizes.get(disk.pool, 0) + disk.size_bytes
    return sizes


def placed_of(machine: Machine) -> PlacedMachine:
    """The resources that a machine uses on its host."""
    return PlacedMachine(
        machine.hostname,
        machine.cores,
        machine.memory_mib,
        tuple(
            PlacedInterface(nic.attachment.kind, nic.attachment.source, nic.attachment.mode)
            for nic in machine.interfaces
            if nic.attachment.kind is not AttachKind.OTHER
        ),
        {} if machine.origin is MachineOrigin.ADOPTED else bytes_by_pool(machine.disks),
    )
