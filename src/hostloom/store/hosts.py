"""KVM hosts in the database."""

from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Row, select, update

from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.host import Correlation, Host
from hostloom.model.ids import HostId
from hostloom.model.machine import MachineOrigin
from hostloom.store import tables
from hostloom.store.node_rows import remove_nodes
from hostloom.store.records import Records
from hostloom.store.transaction import columns_of

_PLAIN = [field.name for field in fields(Host) if field.name != "correlation"]


class Hosts(Records[Host, HostId]):
    """Hosts; their composed machines keep them, adopted ones are forgotten with them."""

    in_world = True

    def add(self, item: Host) -> Host:
        """Insert a host, in the default groups if it names none; an id of 0 is replaced by a new one."""
        self.tx.change_world()
        return super().add(self.tx.in_groups(item))

    def to_row(self, item: Host) -> dict[str, Any]:
        """The correlation is spread over columns."""
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
        """The opposite."""
        return host_of(row)

    def record_facts(self, stored: Host, host: Host) -> Host:
        """Write a reading; the generation, on which plans and users rest, counts up only where they can."""
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
        """The machines that hostloom composed on it."""
        machines, nodes = tables.machines, tables.nodes
        query = (
            select(nodes.c.hostname)
            .join(machines)
            .where(machines.c.host_id == item.id, machines.c.origin != MachineOrigin.ADOPTED)
            .order_by(nodes.c.hostname)
        )
        return [f"machine {name}" for (name,) in self.tx.rows(query)]

    def remove(self, item: Host) -> None:
        """Delete it and the records of its adopted machines."""
        query = select(tables.machines.c.system_id).where(tables.machines.c.host_id == item.id)
        remove_nodes(self.tx, [row[0] for row in self.tx.rows(query)])
        super().remove(item)
        self.tx.note_removed("hosts", [item.id])


def _lasting(host: Host) -> Host:
    """The host without the fields that change at every reading."""
    pools = tuple(replace(storage_pool, free_bytes=0) for storage_pool in host.storage_pools)
    return replace(host, storage_pools=pools, facts_at=None, findings=(), read_revision=0)


def host_of(row: Row[Any]) -> Host:
    """A host of its row."""
    columns = columns_of(row)
    match = Correlation(
        columns["correlation_state"],
        columns["system_id"],
        columns["evidence"],
        columns["matched"],
        columns["candidates"],
    )
    return Host(**{name: columns[name] for name in _PLAIN}, correlation=match)
