"""Disk images in the database; their files are in the image folder."""

from sqlalchemy import select

from hostloom.model.disk_image import DiskImage
from hostloom.model.ids import DiskImageId
from hostloom.store import tables
from hostloom.store.image_tables import deployments
from hostloom.store.records import Records


class DiskImages(Records[DiskImage, DiskImageId]):
    """Disk images; one row per content."""

    def find_by_content(self, sha256: str) -> DiskImage | None:
        """The image whose raw disk has this hash."""
        row = self.tx.read(select(self.table).where(self.table.c.sha256 == sha256)).first()
        return None if row is None else self.from_row(row)

    def users(self, item: DiskImage) -> list[str]:
        """The machines that were deployed from it, or are being deployed."""
        node = tables.nodes.c
        query = (
            select(node.hostname)
            .join_from(deployments, tables.nodes, deployments.c.system_id == node.system_id)
            .where(deployments.c.image_sha256 == item.sha256)
            .order_by(node.hostname)
        )
        return [f"machine {hostname}" for (hostname,) in self.tx.rows(query)]
