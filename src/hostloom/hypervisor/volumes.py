"""The volumes of machines in a host's storage pools."""

from io import BytesIO

import libvirt

from hostloom.hypervisor import xml_in, xml_out
from hostloom.hypervisor.connection import HostConnection
from hostloom.hypervisor.lookups import find_pool, find_volume
from hostloom.hypervisor.networks import Proceed
from hostloom.hypervisor.pools import PoolReader
from hostloom.hypervisor.volume_contents import LibvirtVolumeContents, has_files, send
from hostloom.model.host import FILE_POOLS, holds_disks
from hostloom.model.machine import Disk, DiskFormat

#: LVM rounds a logical volume up to whole extents, and QEMU rounds a qcow2 file up to sectors.
_BLOCK_SLACK_BYTES, _FILE_SLACK_BYTES = 64 << 20, 511


class LibvirtVolumes(LibvirtVolumeContents):
    """Implements ports.Volumes."""

    def __init__(self, connection: HostConnection, pool_reader: PoolReader) -> None:
        super().__init__(connection)
        self._pool_reader = pool_reader

    def ensure(self, disk: Disk) -> None:
        """Create the volume unless it already exists as specified."""
        action = f"make volume {disk.volume} in storage pool {disk.pool}"
        self._check_answers(disk.pool, action)

        def make(connection: libvirt.virConnect, proceed: Proceed) -> None:
            pool = self._pool(connection, disk.pool, action)
            kind = xml_in.storage_pool(pool.XMLDesc(), active=False).kind
            if not holds_disks(kind, qcow2=disk.format is DiskFormat.QCOW2):
                raise self._rejected(
                    action, f"a pool of type {kind} holds no {disk.format} disks of machines"
                )
            volume = find_volume(pool, disk.volume)
            if volume is None:
                proceed()
                pool.createXML(xml_out.volume_xml(disk, is_file=kind in FILE_POOLS))
            else:
                self._check_volume(volume, disk, action)

        self._connection.write(action, make)

    def delete(self, disk: Disk) -> None:
        """Delete the volume if it exists; does nothing if the pool does not exist."""
        self._check_answers(disk.pool, f"delete volume {disk.volume}")

        def delete(connection: libvirt.virConnect, proceed: Proceed) -> None:
            pool = find_pool(connection, disk.pool)
            volume = None if pool is None else find_volume(pool, disk.volume)
            if volume is not None:
                proceed()
                volume.delete()

        self._connection.write(f"delete volume {disk.volume}", delete)

    def erase(self, disk: Disk) -> None:
        """Create the volume again; wipe it first unless it is a file, as others get its blocks."""
        action = f"erase volume {disk.volume}"

        def wipe(connection: libvirt.virConnect) -> None:
            pool = self._pool(connection, disk.pool, action)
            volume = find_volume(pool, disk.volume)
            if volume is not None and not has_files(pool):
                volume.wipe(0)

        self._check_answers(disk.pool, action)
        self._connection.separately(action, wipe)
        self.delete(disk)
        self.ensure(disk)

    def write(self, disk: Disk, content: bytes) -> None:
        """Create the volume if it does not exist, and write its beginning."""
        self.ensure(disk)
        action = f"write volume {disk.volume} in storage pool {disk.pool}"

        def write(connection: libvirt.virConnect, proceed: Proceed) -> None:
            volume = self._pool(connection, disk.pool, action).storageVolLookupByName(disk.volume)
            proceed()
            send(connection, volume, BytesIO(content), lambda _done: None)

        self._connection.write(action, write)

    def path(self, connection: libvirt.virConnect, disk: Disk, action: str) -> str:
        """The path of the volume, whether or not it exists yet."""
        pool = self._pool(connection, disk.pool, action)
        directory = xml_in.storage_pool(pool.XMLDesc(), active=False).path
        return f"{directory.rstrip('/')}/{disk.volume}"

    def _check_answers(self, pool: str, action: str) -> None:
        """Refuse a hanging pool: the call would hang as well and delay every other change of the host."""
        if cause := self._pool_reader.trouble(pool):
            raise self._rejected(action, cause)

    def _check_volume(self, volume: libvirt.virStorageVol, disk: Disk, action: str) -> None:
        size_bytes, kind = xml_in.volume(volume.XMLDesc())
        slack = _FILE_SLACK_BYTES if kind else _BLOCK_SLACK_BYTES
        if not disk.size_bytes <= size_bytes <= disk.size_bytes + slack:
            raise self._rejected(action, f"it is there, with {size_bytes} bytes instead of {disk.size_bytes}")
        if kind and kind != disk.format:
            raise self._rejected(action, f"it is there, in the format {kind} instead of {disk.format}")
