"""Deployments, and the copies of disk images on hosts, in the database."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, exists, select

from hostloom.model.deployment import Deployment, ImageCopy
from hostloom.model.ids import HostId, SystemId
from hostloom.serialization import from_json, to_json
from hostloom.store.image_tables import deployments, disk_images, image_copies
from hostloom.store.transaction import Transaction, columns_of


class Deployments:
    """Deployments; the database deletes them with their machines."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def put(self, deployment: Deployment) -> None:
        """Replace the machine's deployment."""
        row = {
            "system_id": deployment.system_id,
            "image_sha256": deployment.image_sha256,
            "token_sha256": deployment.token_sha256 or None,
            "deadline": None if deployment.finished_at is not None else deployment.deadline,
            "document": to_json(deployment),
        }
        self.tx.put(deployments, row)

    def find(self, system_id: SystemId) -> Deployment | None:
        """The deployment of a machine."""
        return next(iter(self._read(deployments.c.system_id == system_id)), None)

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, Deployment]:
        """The deployments of these machines."""
        return {item.system_id: item for item in self._read(deployments.c.system_id.in_(keys))}

    def find_by_token(self, token_sha256: str) -> Deployment | None:
        """The deployment of the machine that reports with this token."""
        return next(iter(self._read(deployments.c.token_sha256 == token_sha256)), None)

    def overdue(self, now: float) -> list[Deployment]:
        """Unfinished deployments with a deadline that has passed, by machine."""
        return self._read(deployments.c.deadline <= now)

    def with_image(self, sha256: str) -> list[Deployment]:
        """The deployments of a disk image, by machine."""
        return self._read(deployments.c.image_sha256 == sha256)

    def delete(self, system_id: SystemId) -> None:
        """Delete a machine's deployment; does nothing if there is none."""
        self.tx.write(delete(deployments).where(deployments.c.system_id == system_id))

    def _read(self, condition: ColumnElement[bool]) -> list[Deployment]:
        query = select(deployments.c.document).where(condition).order_by(deployments.c.system_id)
        return [from_json(row.document, Deployment) for row in self.tx.rows(query)]


class ImageCopies:
    """Copies of disk images; one for each image and storage pool."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def put(self, copy: ImageCopy) -> None:
        """Record a copy, in place of its previous record."""
        self.tx.put(image_copies, {name: getattr(copy, name) for name in ImageCopy.__slots__})

    def find(self, host_id: HostId, pool: str, sha256: str) -> ImageCopy | None:
        """The copy of an image in a storage pool."""
        rows = self.tx.rows(select(image_copies).where(_place(host_id, pool, sha256)))
        return next((ImageCopy(**columns_of(row)) for row in rows), None)

    def of_image(self, sha256: str) -> list[ImageCopy]:
        """All copies of an image, by host and pool."""
        return self._read(image_copies.c.sha256 == sha256)

    def of_no_image(self) -> list[ImageCopy]:
        """Copies of contents that no image has, by host and pool."""
        return self._read(~exists().where(disk_images.c.sha256 == image_copies.c.sha256))

    def delete(self, copy: ImageCopy) -> None:
        """Delete the record; does nothing if there is none."""
        self.tx.write(delete(image_copies).where(_place(copy.host_id, copy.pool, copy.sha256)))

    def _read(self, condition: ColumnElement[bool]) -> list[ImageCopy]:
        query = select(image_copies).where(condition)
        ordered = query.order_by(image_copies.c.host_id, image_copies.c.pool)
        return [ImageCopy(**columns_of(row)) for row in self.tx.rows(ordered)]


def _place(host_id: HostId, pool: str, sha256: str) -> ColumnElement[bool]:
    columns = image_copies.c
    return and_(columns.host_id == host_id, columns.pool == pool, columns.sha256 == sha256)
