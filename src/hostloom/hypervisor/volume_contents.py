"""Copies disk images to hosts, and makes the disks of machines from them.

An image is uploaded once for each storage pool. The copy is qcow2, because libvirt clones that ten times
faster than a raw volume.
"""

import time
from collections.abc import Callable
from typing import BinaryIO

import libvirt

from hostloom.hypervisor import xml_in, xml_out
from hostloom.hypervisor.connection import HostConnection
from hostloom.hypervisor.lookups import find_pool, find_volume
from hostloom.model.deployment import ImageCopy
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.host import FILE_POOLS
from hostloom.model.machine import Disk, DiskFormat
from hostloom.ports.disk_images import Progress
from hostloom.ports.hypervisor import ImageFile

#: How long to wait for libvirt to let go of a volume that an interrupted call was still writing.
RELEASE_S, LOOK_EVERY_S = 300.0, 1.0


class LibvirtVolumeContents:
    """The part of ports.Volumes that is about images; its long calls use separate connections."""

    def __init__(self, connection: HostConnection) -> None:
        self._connection = connection

    def has_image(self, copy: ImageCopy) -> bool:
        """Whether the volume exists."""

        def look(connection: libvirt.virConnect) -> bool:
            pool = find_pool(connection, copy.pool)
            return pool is not None and find_volume(pool, copy.volume) is not None

        return self._connection.read(f"look for volume {copy.volume}", look)

    def upload_image(self, copy: ImageCopy, image: ImageFile, progress: Progress) -> None:
        """Upload the file in parts of some 100 KiB; libvirt deletes nothing by itself if that breaks off."""
        action = f"upload volume {copy.volume} to storage pool {copy.pool}"
        volume_xml = xml_out.volume_xml(
            Disk("image", copy.pool, copy.volume, image.virtual_size_bytes, DiskFormat.QCOW2), is_file=True
        )

        def upload(connection: libvirt.virConnect) -> None:
            pool = self._pool(connection, copy.pool, action)
            self._delete(pool, copy.volume, action)
            volume = pool.createXML(volume_xml)
            total = image.path.stat().st_size
            try:
                with image.path.open("rb") as file:
                    send(connection, volume, file, lambda done: progress(done, total))
            except BaseException:
                self._delete(pool, copy.volume, action)
                raise

        self._connection.separately(action, upload)

    def delete_image(self, copy: ImageCopy) -> None:
        """Delete the volume if it exists; does nothing if the pool does not exist."""
        action = f"delete volume {copy.volume}"

        def delete(connection: libvirt.virConnect) -> None:
            pool = find_pool(connection, copy.pool)
            if pool is not None:
                self._delete(pool, copy.volume, action)

        self._connection.separately(action, delete)

    def clone(self, disk: Disk, copy: ImageCopy) -> None:
        """Let libvirt convert the copy to the disk's format, and grow the result to the disk's size."""
        action = f"make volume {disk.volume} in storage pool {disk.pool} from {copy.volume}"

        def clone(connection: libvirt.virConnect) -> None:
            pool = self._pool(connection, disk.pool, action)
            image = find_volume(self._pool(connection, copy.pool, action), copy.volume)
            if image is None:
                raise self._rejected(action, f"storage pool {copy.pool} has no volume {copy.volume}")
            self._delete(pool, disk.volume, action)
            # Logical volumes have their whole size from the beginning, and no format.
            volume = pool.createXMLFrom(xml_out.volume_xml(disk, is_file=has_files(pool)), image, 0)
            if volume.info()[1] < disk.size_bytes:
                volume.resize(disk.size_bytes)

        self._connection.separately(action, clone)

    def _delete(self, pool: libvirt.virStoragePool, name: str, action: str) -> None:
        """Delete a volume if it exists; wait while libvirt still writes it for an interrupted call."""
        until = time.monotonic() + RELEASE_S
        while (volume := find_volume(pool, name)) is not None:
            try:
                volume.delete()
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
                    raise
                if time.monotonic() > until:
                    raise self._rejected(action, f"an existing volume is in use: {error}") from error
                time.sleep(LOOK_EVERY_S)

    def _pool(self, connection: libvirt.virConnect, name: str, action: str) -> libvirt.virStoragePool:
        pool = find_pool(connection, name)
        if pool is None:
            raise self._rejected(action, f"there is no storage pool {name}")
        return pool

    def _rejected(self, action: str, cause: str) -> HypervisorRejected:
        return HypervisorRejected(self._connection.host, action, cause)


def has_files(pool: libvirt.virStoragePool) -> bool:
    """Whether the volumes of a pool are files."""
    return xml_in.storage_pool(pool.XMLDesc(), active=False).kind in FILE_POOLS


def send(
    connection: libvirt.virConnect,
    volume: libvirt.virStorageVol,
    file: BinaryIO,
    report: Callable[[int], None],
) -> None:
    """Write the file's content to the beginning of a volume, and report how many bytes libvirt has taken."""

    def read(_stream: object, size: int, _opaque: object) -> bytes:
        part = file.read(size)
        report(file.tell())
        return part

    stream = connection.newStream(0)
    volume.upload(stream, 0, 0, 0)
    stream.sendAll(read, None)
    stream.finish()
