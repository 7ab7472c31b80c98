"""Subnets in the database."""

from ipaddress import ip_network
from typing import Any

from sqlalchemy import delete, select

from hostloom.model.errors.resources import AlreadyExists, NotFound
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import SubnetId, SystemId
from hostloom.model.network import Address, AddressKind, Subnet
from hostloom.store import tables
from hostloom.store.records import Records


class Subnets(Records[Subnet, SubnetId]):
    """Subnets; subnets of one fabric never overlap, those of different fabrics may overlap."""

    topology = True

    def find(self, name: str) -> Subnet | None:
        """A subnet by CIDR or name; InvalidValue if several match."""
        try:
            condition = self.table.c.cidr == ip_network(name)
        except ValueError:
            condition = self.table.c.name == name
        rows = self.tx.rows(select(self.table).where(condition).limit(2))
        if len(rows) > 1:
            raise InvalidValue("subnet", name, "is ambiguous, because several fabrics have it", "give its id")
        return self.from_row(rows[0]) if rows else None

    def check(self, item: Subnet) -> None:
        """Refuse a subnet that overlaps another subnet of the fabric; the error names both."""
        columns = self.table.c
        query = select(columns.cidr, tables.fabrics.c.name).where(
            tables.fabrics.c.id == columns.fabric_id,
            columns.fabric_id == self._fabric_of(item),
            columns.id != item.id,
            columns.first <= item.cidr.broadcast_address,
            columns.last >= item.cidr.network_address,
        )
        for cidr, fabric in self.tx.rows(query):
            if cidr == item.cidr:
                raise AlreadyExists("subnet", item.cidr, f"already exists in fabric {fabric!r}")
            raise Conflict(
                "cidr",
                item.cidr,
                "overlaps",
                f"subnet {cidr} of fabric {fabric}",
                "choose a prefix that is free",
            )

    def _fabric_of(self, item: Subnet) -> int:
        query = select(tables.vlans.c.fabric_id).where(tables.vlans.c.id == item.vlan_id)
        fabric_id: int | None = self.tx.read(query).scalar_one_or_none()
        if fabric_id is None:
            raise NotFound("vlan", item.vlan_id)
        return fabric_id

    def to_row(self, item: Subnet) -> dict[str, Any]:
        """The row with the first and last address and the VLAN's fabric."""
        return super().to_row(item) | {
            "first": item.cidr.network_address,
            "last": item.cidr.broadcast_address,
            "fabric_id": self._fabric_of(item),
        }

    def users(self, item: Subnet) -> list[str]:
        """The holders of the subnet's addresses; leases and ranges are deleted with the subnet."""
        held, nodes, machines = tables.addresses, tables.nodes, tables.machines
        query = (
            select(held.c.ip, nodes.c.hostname, machines.c.system_id)
            .select_from(
                held.outerjoin(nodes, nodes.c.system_id == held.c.system_id).outerjoin(
                    machines, machines.c.system_id == held.c.system_id
                )
            )
            .where(held.c.subnet_id == item.id, held.c.kind.not_in((AddressKind.LEASE, AddressKind.ON_WIRE)))
            .order_by(held.c.ip)
        )
        return list(dict.fromkeys(_holder(*row) for row in self.tx.rows(query)))

    def remove(self, item: Subnet) -> None:
        """Delete the subnet with its ranges and leases."""
        held = tables.addresses
        removed = self.tx.write(delete(held).where(held.c.subnet_id == item.id).returning(held.c.id)).all()
        self.tx.note_removed("addresses", [row[0] for row in removed])
        super().remove(item)

    def label(self, item: Subnet) -> str:
        """The CIDR."""
        return str(item.cidr)


def _holder(ip: Address, hostname: str | None, machine_id: SystemId | None) -> str:
    """The holder of an address: a node, a machine, or the address itself."""
    if hostname is None:
        return f"address {ip}"
    return f"{'node' if machine_id is None else 'machine'} {hostname}"
