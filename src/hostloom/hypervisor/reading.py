"""Reads a whole host with a fixed number of calls plus one per machine; unreadable parts become findings."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import libvirt

from hostloom.hypervisor import domain_xml_in, xml_in
from hostloom.hypervisor.capabilities import huge_pages_mib
from hostloom.hypervisor.domain_xml_in import FoundVolume
from hostloom.hypervisor.errors import cause_of, is_missing
from hostloom.hypervisor.lookups import find_volume, power_of
from hostloom.hypervisor.partial_reads import raise_if_lost, reading
from hostloom.hypervisor.pools import PoolsRead
from hostloom.hypervisor.probe import PROBE_PREFIX
from hostloom.model.finding import Findings, printable
from hostloom.model.host import Emulation, LibvirtNetwork, StoragePool
from hostloom.model.observed import ObservedHost, ObservedMachine

_STATE = libvirt.VIR_DOMAIN_STATS_STATE
_STATS = _STATE | libvirt.VIR_DOMAIN_STATS_BLOCK
#: Maximum of one host; further ones are left out.
MAX_MACHINES, MAX_NETWORKS = 10_000, 1000


def read_host(
    connection: libvirt.virConnect,
    emulations: tuple[Emulation, ...],
    pools: PoolsRead,
    findings: Findings | None = None,
    sizes: "DiskSizes | None" = None,
) -> ObservedHost:
    """Read everything about a host except its pools and capabilities, which were read before."""
    findings = Findings() if findings is None else findings
    # Memory is the kernel's total over all NUMA nodes: a balloon makes it smaller than MemTotal, and it
    # changes over time.
    info = connection.getInfo()
    hostname = ""
    with reading(findings, connection, "hostname", "the host's name for itself"):
        hostname = printable(connection.getHostname(), xml_in.NAME_LENGTH)
    networks = _read_networks(connection, findings)
    machines = _Machines(connection, pools.pools, findings, sizes)
    machines.read()
    huge_pages = 0
    with reading(findings, connection, "huge pages", "the pages of each NUMA cell, in numbers"):
        huge_pages = huge_pages_mib(connection)
    return ObservedHost(
        hostname=hostname,
        cores=int(info[2]),
        memory_mib=_ordinary_mib(int(info[1]), huge_pages, machines.observed),
        huge_pages_mib=huge_pages,
        emulations=emulations,
        storage_pools=pools.pools,
        libvirt_networks=networks or (),
        machines=tuple(sorted(machines.observed, key=lambda machine: machine.name)),
        findings=findings.all(),
        pools_listed=pools.listed,
        networks_listed=networks is not None,
        machines_listed=machines.listed,
        unread=tuple(machines.unread),
    )


def _ordinary_mib(total_mib: int, huge_pages_mib: int, machines: Iterable[ObservedMachine]) -> int:
    """Memory without the huge pages that no machine uses; pages in use are counted with their machines."""
    taken_mib = sum(machine.memory_mib for machine in machines if machine.has_huge_pages)
    return max(0, total_mib - max(0, huge_pages_mib - taken_mib))


def _read_networks(connection: libvirt.virConnect, findings: Findings) -> tuple[LibvirtNetwork, ...] | None:
    """The libvirt networks; None if libvirt does not list them."""
    listed = None
    with reading(findings, connection, "libvirt networks", "libvirt's list of them"):
        listed = connection.listAllNetworks()
    if listed is None:
        return None
    if len(listed) > MAX_NETWORKS:
        findings.add("libvirt networks", f"at most {MAX_NETWORKS}", f"{len(listed)}, of which some are read")
    libvirt_networks = []
    for number, network in enumerate(listed[:MAX_NETWORKS], 1):
        part = f"libvirt network {_name(network, number)}"
        with reading(findings, connection, part, "a network as libvirt describes it"):
            libvirt_networks.append(xml_in.network(network.XMLDesc(), active=bool(network.isActive())))
    return tuple(sorted(libvirt_networks, key=lambda network: network.name))


def _name(libvirt_object: "libvirt.virDomain | libvirt.virNetwork", number: int) -> str:
    """The name that the client knows, without a call; the object's number if its name is not valid text."""
    try:
        return str(libvirt_object.name())
    except ValueError:
        return f"number {number}"


class _Machines:
    """Reads all machines: one call for the list with statistics, and one call per machine for its XML."""

    def __init__(
        self,
        connection: libvirt.virConnect,
        pools: Iterable[StoragePool],
        findings: Findings,
        sizes: "DiskSizes | None",
    ) -> None:
        self._connection, self._findings = connection, findings
        self._pools = tuple(pools)
        self._sizes = DiskSizes() if sizes is None else sizes
        self.observed: list[ObservedMachine] = []
        #: UUIDs of machines that exist but cannot be read.
        self.unread: list[str] = []
        #: Whether the list contains every machine.
        self.listed = False
        #: UUIDs of machines that start with the host; None if libvirt did not list them.
        self._autostarting: frozenset[str] | None = None

    def read(self) -> None:
        volumes = VolumeFinder(self._connection, self._pools, self._sizes)
        domains = self._list()
        self._autostarting = self._list_autostarting()
        if len(domains) > MAX_MACHINES:
            self.listed = False
            description = f"{len(domains)}, of which some are read"
            self._findings.add("machines", f"at most {MAX_MACHINES}", description)
        for number, (domain, stats) in enumerate(domains[:MAX_MACHINES], 1):
            name = _name(domain, number)
            if not name.startswith(PROBE_PREFIX):
                self._read(domain, stats, f"machine {name}", volumes)
        self._sizes.forget_others(self.unread)

    def _list(self) -> list[tuple[libvirt.virDomain, dict[str, Any]]]:
        """Domains with their statistics; disk statistics are left out while a pool does not answer.

        libvirt opens the files of the disks for them, and hangs if a file is on an unreachable server.
        """
        flags = _STATE if any(pool.trouble for pool in self._pools) else _STATS
        for statistics in dict.fromkeys((flags, _STATE)):
            with reading(self._findings, self._connection, "machines", "libvirt's list with statistics"):
                nowait = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
                domains = list(self._connection.getAllDomainStats(statistics, nowait))
                self.listed = True
                return domains
        return []

    def _list_autostarting(self) -> frozenset[str] | None:
        with reading(self._findings, self._connection, "machines", "the list of machines that start with it"):
            starting = self._connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
            return frozenset(domain.UUIDString() for domain in starting)
        return None

    def _read(
        self, domain: libvirt.virDomain, stats: dict[str, Any], part: str, volumes: "VolumeFinder"
    ) -> None:
        try:
            with self._findings.reading(part, "a machine as libvirt describes it"):
                machine = _machine(domain, stats, volumes, self._findings)
                if self._autostarting is not None:
                    machine = replace(machine, autostart=machine.uuid in self._autostarting)
                self.observed.append(machine)
                return
        except libvirt.libvirtError as error:
            # The domain was deleted after the list was made.
            if is_missing(error):
                return
            raise_if_lost(self._connection, error)
            self._findings.add(part, "a machine as libvirt describes it", cause_of(error))
        self.unread.append(domain.UUIDString())


def read_machine(
    connection: libvirt.virConnect, domain: libvirt.virDomain, pools: Iterable[StoragePool]
) -> ObservedMachine:
    """One machine."""
    nowait = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    ((_, stats),) = connection.domainListGetStats([domain], _STATS, nowait)
    machine = _machine(domain, stats, VolumeFinder(connection, pools, DiskSizes()), Findings())
    return replace(machine, autostart=bool(domain.autostart()))


def _machine(
    domain: libvirt.virDomain, stats: dict[str, Any], volumes: "VolumeFinder", findings: Findings
) -> ObservedMachine:
    volumes.learn_sizes(domain, stats)
    return domain_xml_in.machine(domain.XMLDesc(), power_of(stats.get("state.state", 0)), volumes, findings)


class DiskSizes:
    """Sizes of disks by machine UUID and target, remembered for when libvirt cannot be asked."""

    def __init__(self) -> None:
        self._sizes: dict[str, dict[str, int]] = {}
        self._seen: set[str] = set()

    def of(self, uuid: str) -> dict[str, int]:
        """The remembered sizes of a machine's disks; the caller updates them."""
        self._seen.add(uuid)
        return self._sizes.setdefault(uuid, {})

    def forget_others(self, kept_uuids: Iterable[str]) -> None:
        """Forget the machines that were not read since the last call."""
        self._seen.update(kept_uuids)
        self._sizes = {uuid: sizes for uuid, sizes in self._sizes.items() if uuid in self._seen}
        self._seen = set()


class VolumeFinder:
    """Finds the volume at a path, without a call if pool paths and block statistics suffice."""

    def __init__(
        self, connection: libvirt.virConnect, pools: Iterable[StoragePool], sizes: DiskSizes
    ) -> None:
        self._connection = connection
        self._pools = {pool.path.rstrip("/"): pool for pool in pools if pool.path}
        self._all_sizes = sizes
        self._domain: libvirt.virDomain | None = None
        self._sizes: dict[str, int] = {}
        self._may_ask = False

    def learn_sizes(self, domain: libvirt.virDomain, stats: dict[str, Any]) -> None:
        """Take the sizes of a machine's disks from its statistics; `find` is then about this machine."""
        self._domain = domain
        self._sizes = self._all_sizes.of(domain.UUIDString())
        # Only drivers without disk statistics need a call per disk.
        self._may_ask = "block.count" not in stats and not self._is_pool_in_trouble()
        for number in range(min(int(stats.get("block.count", 0)), xml_in.MAX_DEVICES)):
            size, target = stats.get(f"block.{number}.capacity"), stats.get(f"block.{number}.name")
            if target and size is not None and 0 <= int(size) <= xml_in.MAX_BYTES:
                self._sizes[str(target)] = int(size)

    def find(self, path: str, target: str) -> FoundVolume:
        """Pool, name and size; a disk outside all pools has its path as its name."""
        directory, _, name = path.rpartition("/")
        pool = self._pools.get(directory)
        if pool is None:
            return FoundVolume("", path, self.size_of(target))
        if target in self._sizes or not pool.active:
            return FoundVolume(pool.name, name, self._sizes.get(target, 0))
        return FoundVolume(pool.name, name, self._ask_volume(pool.name, name))

    def size_of(self, target: str) -> int:
        """Size from the statistics, else from a separate call."""
        if target in self._sizes or not self._may_ask or self._domain is None:
            return self._sizes.get(target, 0)
        try:
            return int(self._domain.blockInfo(target)[0])
        except libvirt.libvirtError as error:
            raise_if_lost(self._connection, error)
            return 0

    def _ask_volume(self, pool: str, name: str) -> int:
        try:
            volume = find_volume(self._connection.storagePoolLookupByName(pool), name)
            return 0 if volume is None else int(volume.info()[1])
        except libvirt.libvirtError as error:
            raise_if_lost(self._connection, error)
            return 0

    def _is_pool_in_trouble(self) -> bool:
        return any(pool.trouble for pool in self._pools.values())
