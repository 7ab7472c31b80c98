"""Fabrics in the database."""

from sqlalchemy import delete, select

from hostloom.model.ids import FabricId, VlanId
from hostloom.model.network import UNTAGGED, Fabric, Vlan, vlan_name
from hostloom.store import tables
from hostloom.store.records import Records
from hostloom.store.vlans import Vlans, users_of_vlan

#: Name of the VLAN that is created with every fabric.
UNTAGGED_NAME = "untagged"
#: The database assigns an id.
NEW_VLAN = VlanId(0)


class Fabrics(Records[Fabric, FabricId]):
    """Fabrics, each with its untagged VLAN."""

    topology = True

    def add(self, item: Fabric, untagged: VlanId = NEW_VLAN) -> Fabric:
        """Insert a fabric and its untagged VLAN, which gets the id `untagged` if it is set."""
        added = super().add(item)
        untagged_vlan = Vlan(untagged, added.id, UNTAGGED, UNTAGGED_NAME, automatic=item.automatic)
        Vlans(self.tx, tables.vlans, Vlan).add(untagged_vlan)
        return added

    def users(self, item: Fabric) -> list[str]:
        """The fabric's tagged VLANs, and the users of its untagged VLAN."""
        query = select(tables.vlans.c.id, tables.vlans.c.vid).where(tables.vlans.c.fabric_id == item.id)
        user_names: list[str] = []
        for vlan_id, vid in self.tx.rows(query.order_by(tables.vlans.c.vid)):
            user_names += (
                users_of_vlan(self.tx, vlan_id) if vid == UNTAGGED else [f"VLAN {vlan_name(item.name, vid)}"]
            )
        return user_names

    def remove(self, item: Fabric) -> None:
        """Delete the fabric and its untagged VLAN."""
        self.tx.write(delete(tables.vlans).where(tables.vlans.c.fabric_id == item.id))
        super().remove(item)
