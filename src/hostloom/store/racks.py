"""Racks in the database."""

from collections.abc import Sequence

from sqlalchemy import or_, select

from hostloom.model.ids import RackId
from hostloom.model.network import vlan_name
from hostloom.model.rack import Rack
from hostloom.store import tables
from hostloom.store.records import Records


class Racks(Records[Rack, RackId]):
    """Racks; a rack that serves a VLAN cannot be deleted."""

    def users(self, item: Rack) -> Sequence[str]:
        """The VLANs that the rack serves as primary or standby."""
        vlans, fabrics = tables.vlans, tables.fabrics
        query = (
            select(fabrics.c.name, vlans.c.vid)
            .select_from(vlans.join(fabrics))
            .where(or_(vlans.c.primary_rack_id == item.id, vlans.c.secondary_rack_id == item.id))
            .order_by(vlans.c.id)
        )
        return [f"VLAN {vlan_name(fabric, vid)}" for fabric, vid in self.tx.rows(query)]
