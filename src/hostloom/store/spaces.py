"""Spaces in the database."""

from sqlalchemy import select

from hostloom.model.ids import SpaceId
from hostloom.model.network import Space, vlan_name
from hostloom.store.records import Records
from hostloom.store.tables import fabrics, vlans


class Spaces(Records[Space, SpaceId]):
    """Spaces; a space with VLANs cannot be deleted."""

    topology = True

    def users(self, item: Space) -> list[str]:
        """The VLANs in the space."""
        query = (
            select(fabrics.c.name, vlans.c.vid)
            .select_from(vlans.join(fabrics))
            .where(vlans.c.space_id == item.id)
            .order_by(vlans.c.id)
        )
        return [f"VLAN {vlan_name(fabric, vid)}" for fabric, vid in self.tx.rows(query)]
