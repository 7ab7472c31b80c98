"""VLANs in the database."""

from sqlalchemy import select

from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.resources import AlreadyExists, InUse
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import FabricId, VlanId
from hostloom.model.network import UNTAGGED, Vlan, vlan_name
from hostloom.store import tables
from hostloom.store.records import Records
from hostloom.store.transaction import Transaction


def users_of_vlan(tx: Transaction, vlan_id: int) -> list[str]:
    """Descriptions of the objects on a VLAN and of the VLANs that relay through it."""
    t = tables
    interfaces, nics = t.node_interfaces, t.machine_interfaces
    subnets = tx.rows(select(t.subnets.c.cidr).where(t.subnets.c.vlan_id == vlan_id).order_by(t.subnets.c.id))
    on_hosts = tx.rows(
        select(t.nodes.c.hostname, interfaces.c.name, t.hosts.c.name)
        .select_from(interfaces.join(t.nodes).outerjoin(t.hosts, t.hosts.c.system_id == t.nodes.c.system_id))
        .where(interfaces.c.vlan_id == vlan_id)
        .order_by(t.nodes.c.hostname, interfaces.c.name)
    )
    machines = tx.rows(
        select(t.nodes.c.hostname)
        .select_from(nics.join(t.machines).join(t.nodes))
        .where(nics.c.vlan_id == vlan_id)
        .distinct()
        .order_by(t.nodes.c.hostname)
    )
    relays = tx.rows(
        select(t.fabrics.c.name, t.vlans.c.vid)
        .select_from(t.vlans.join(t.fabrics))
        .where(t.vlans.c.relay_vlan_id == vlan_id, t.vlans.c.id != vlan_id)
        .order_by(t.vlans.c.id)
    )
    return [
        *(f"subnet {cidr}" for (cidr,) in subnets),
        *(f"machine {name}" for (name,) in machines),
        *(f"host {host} ({name})" if host else f"node {node} ({name})" for node, name, host in on_hosts),
        *(f"VLAN {vlan_name(fabric, vid)}, which it relays" for fabric, vid in relays),
    ]


class Vlans(Records[Vlan, VlanId]):
    """VLANs; the untagged VLAN is created and deleted with its fabric."""

    topology = True

    def find(self, name: str) -> Vlan | None:
        """A VLAN by name; InvalidValue if several have this name."""
        rows = self.tx.rows(select(self.table).where(self.table.c.name == name).limit(2))
        if len(rows) > 1:
            raise InvalidValue(
                "vlan", name, "is ambiguous, because several VLANs have this name", "give FABRIC/VID or an id"
            )
        return self.from_row(rows[0]) if rows else None

    def find_by_vid(self, fabric_id: FabricId, vid: int) -> Vlan | None:
        """The VLAN with this 802.1Q tag in the fabric."""
        row = self.tx.read(
            select(self.table).where(self.table.c.fabric_id == fabric_id, self.table.c.vid == vid)
        ).first()
        return None if row is None else self.from_row(row)

    def check(self, item: Vlan) -> None:
        """Keep the untagged VLAN in its fabric with VID 0; check the subnets of a moved VLAN for overlaps."""
        if not item.id:
            return
        columns = self.table.c
        row = self.tx.read(select(columns.fabric_id, columns.vid).where(columns.id == item.id)).first()
        if row is None or (row.fabric_id == item.fabric_id and row.vid == item.vid):
            return
        if row.vid == UNTAGGED:
            raise InvalidValue(
                "vid",
                f"{item.fabric_id}/{item.vid}",
                "cannot be given to the untagged VLAN of a fabric",
                "create a tagged VLAN",
            )
        if row.fabric_id != item.fabric_id:
            self._check_overlap(item)

    def _check_overlap(self, item: Vlan) -> None:
        moved, existing = tables.subnets.alias("mine"), tables.subnets.alias("theirs")
        query = select(moved.c.cidr, existing.c.cidr).where(
            moved.c.vlan_id == item.id,
            existing.c.fabric_id == item.fabric_id,
            existing.c.vlan_id != item.id,
            moved.c.first <= existing.c.last,
            moved.c.last >= existing.c.first,
        )
        for row in self.tx.rows(query):
            raise Conflict(
                "fabric_id",
                item.fabric_id,
                f"has subnet {row[1]}, which overlaps",
                f"subnet {row[0]} of the VLAN",
                "choose another fabric",
            )

    def explain(self, values: dict[str, object], item: Vlan) -> HostloomError | None:
        """Name a used tag with its fabric."""
        error = super().explain(values, item)
        return AlreadyExists("vlan", self.label(item)) if isinstance(error, AlreadyExists) else error

    def users(self, item: Vlan) -> list[str]:
        """The VLAN's subnets, interfaces, machines and relayed VLANs."""
        if item.vid == UNTAGGED:
            raise InUse("vlan", self.label(item), ["its fabric, whose untagged VLAN it is"])
        return users_of_vlan(self.tx, item.id)

    def label(self, item: Vlan) -> str:
        """FABRIC/VID."""
        query = select(tables.fabrics.c.name).where(tables.fabrics.c.id == item.fabric_id)
        return vlan_name(self.tx.read(query).scalar_one_or_none() or str(item.fabric_id), item.vid)
