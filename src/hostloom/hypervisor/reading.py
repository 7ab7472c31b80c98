"""Reads a whole host in bulk: a fixed number of calls, and one a machine."""

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import libvirt

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.errors import is_connection_lost, is_missing
from hostloom.hypervisor.lookups import find_volume, power_of
from hostloom.hypervisor.probe import PROBE_PREFIX
from hostloom.hypervisor.xml_in import FoundVolume
from hostloom.model.host import Emulation, LibvirtNetwork, StoragePool
from hostloom.model.observed import ObservedHost, ObservedMachine

log = logging.getLogger(__name__)

#: Kinds of pools whose free space libvirt only learns when it is told to look again.
_STALE_KINDS = frozenset({"dir", "fs", "netfs", "logical"})
#: A look opens every volume of the pool: not at every reading.
LOOK_AGAIN_S = 60.0
_STATS = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_BLOCK


class PoolReader:
    """Reads storage pools, and has libvirt look at their space again when its figures are old."""

    def __init__(self) -> None:
        self._looked_at: dict[str, float] = {}

    def read(self, connection: libvirt.virConnect) -> tuple[StoragePool, ...]:
        """All pools by name, with the default one marked."""
        return _with_default(sorted(map(self._read, connection.listAllStoragePools()), key=lambda p: p.name))

    def _read(self, pool: libvirt.virStoragePool) -> StoragePool:
        text = pool.XMLDesc()
        active = bool(pool.isActive())
        found = xml_in.storage_pool(text, active=active)
        if not active or found.kind not in _STALE_KINDS or not self._is_due(pool.UUIDString()):
            return found
        try:
            pool.refresh()
        except libvirt.libvirtError as error:
            if is_connection_lost(error):
                raise
            # Another client makes a volume in it, or its disk is gone: the old figures must do.
            log.info("storage pool %s cannot be looked at: %s", found.name, error)
            return found
        return xml_in.storage_pool(pool.XMLDesc(), active=active)

    def _is_due(self, uuid: str) -> bool:
        now = time.monotonic()
        if now - self._looked_at.get(uuid, -LOOK_AGAIN_S) < LOOK_AGAIN_S:
            return False
        self._looked_at[uuid] = now
        return True


def read_host(
    connection: libvirt.virConnect, emulations: tuple[Emulation, ...], pool_reader: PoolReader
) -> ObservedHost:
    """Everything about a host."""
    # Memory is what the kernel manages in all NUMA nodes: with a balloon less than MemTotal, and it moves.
    info = connection.getInfo()
    pools = pool_reader.read(connection)
    return ObservedHost(
        hostname=connection.getHostname(),
        cores=int(info[2]),
        memory_mib=int(info[1]),
        emulations=emulations,
        storage_pools=pools,
        libvirt_networks=_read_networks(connection),
        machines=_read_machines(connection, pools),
    )


def _read_networks(connection: libvirt.virConnect) -> tuple[LibvirtNetwork, ...]:
    found = [
        xml_in.network(each.XMLDesc(), active=bool(each.isActive())) for each in connection.listAllNetworks()
    ]
    return tuple(sorted(found, key=lambda network: network.name))


def _read_machines(
    connection: libvirt.virConnect, pools: tuple[StoragePool, ...]
) -> tuple[ObservedMachine, ...]:
    """One call for the list with statistics, and one a machine for its XML."""
    volumes = VolumeFinder(connection, pools)
    found = []
    for domain, stats in connection.getAllDomainStats(
        _STATS, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    ):
        if domain.name().startswith(PROBE_PREFIX):
            continue
        try:
            found.append(_machine(domain, stats, volumes))
        except libvirt.libvirtError as error:
            # One that was deleted since the list was made is not there.
            if not is_missing(error):
                raise
    return tuple(sorted(found, key=lambda machine: machine.name))


def read_machine(connection: libvirt.virConnect, domain: libvirt.virDomain) -> ObservedMachine:
    """One machine."""
    active = connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
    pools = [xml_in.storage_pool(each.XMLDesc(), active=True) for each in active]
    nowait = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    ((_, stats),) = connection.domainListGetStats([domain], _STATS, nowait)
    return _machine(domain, stats, VolumeFinder(connection, pools))


def _machine(domain: libvirt.virDomain, stats: dict[str, Any], volumes: "VolumeFinder") -> ObservedMachine:
    volumes.learn_sizes(stats)
    return xml_in.machine(domain.XMLDesc(), power_of(stats.get("state.state", 0)), volumes.find)


class VolumeFinder:
    """The volume at a path, without a call where pools' paths and block statistics tell."""

    def __init__(self, connection: libvirt.virConnect, pools: Iterable[StoragePool]) -> None:
        self._connection = connection
        self._pools = {pool.path.rstrip("/"): pool.name for pool in pools if pool.active and pool.path}
        self._sizes: dict[str, int] = {}

    def learn_sizes(self, stats: dict[str, Any]) -> None:
        """Take the sizes of a machine's disks from its statistics."""
        for number in range(stats.get("block.count", 0)):
            size = stats.get(f"block.{number}.capacity")
            if size is not None:
                self._sizes[stats.get(f"block.{number}.path", "")] = int(size)

    def find(self, path: str) -> FoundVolume:
        """Pool, name and size; a disk that lies in no pool goes by its path."""
        directory, _, name = path.rpartition("/")
        pool = self._pools.get(directory)
        size = self._sizes.get(path)
        if pool is None:
            return FoundVolume("", path, size or 0)
        return FoundVolume(pool, name, self._ask_size(pool, name) if size is None else size)

    def _ask_size(self, pool: str, name: str) -> int:
        volume = find_volume(self._connection.storagePoolLookupByName(pool), name)
        return 0 if volume is None else int(volume.info()[1])


def _with_default(pools: list[StoragePool]) -> tuple[StoragePool, ...]:
    """The default pool is the one named `default`, else the only one; one that is not active is neither."""
    names = [pool.name for pool in pools if pool.active]
    default = "default" if "default" in names else names[0] if len(names) == 1 else None
    return tuple(replace(pool, is_default=pool.name == default) for pool in pools)
