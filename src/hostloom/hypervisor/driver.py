"""The hypervisor port over libvirt: bulk reads, and changes that may be made twice."""

import threading
from collections.abc import Callable
from dataclasses import replace

import libvirt

from hostloom.hypervisor import capabilities, xml_in, xml_out
from hostloom.hypervisor.connection import HostConnection
from hostloom.hypervisor.errors import is_missing, silence_libvirt
from hostloom.hypervisor.probe import kvm_runs
from hostloom.hypervisor.words import CONSOLE_LOG
from hostloom.model.errors import HypervisorRejected, NotFound
from hostloom.model.host import Emulation, StoragePool
from hostloom.model.machine import Disk, MachineSpec, PowerState
from hostloom.model.observed import ObservedHost, ObservedMachine

#: (uri, path, limit in bytes) to the end of a file on the host.
ReadFile = Callable[[str, str, int], str]

_ON = frozenset(
    {
        libvirt.VIR_DOMAIN_RUNNING,
        libvirt.VIR_DOMAIN_BLOCKED,
        libvirt.VIR_DOMAIN_PAUSED,
        libvirt.VIR_DOMAIN_SHUTDOWN,
        libvirt.VIR_DOMAIN_PMSUSPENDED,
    }
)
#: A logical volume is rounded up to extents of its group.
EXTENT_SLACK_BYTES = 64 << 20
_SPARSE_POOLS = frozenset({"dir", "fs", "netfs", ""})


class LibvirtHypervisor:
    """One host."""

    def __init__(self, host: str, uri: str, connection: HostConnection, read_file: ReadFile) -> None:
        self._host, self._uri, self._connection, self._read_file = host, uri, connection, read_file
        self._emulations: tuple[Emulation, ...] | None = None

    # -- reads -----------------------------------------------------------------------------------------

    def describe(self) -> ObservedHost:
        """Read everything in bulk; what this host can run is probed once."""
        return self._connection.read("read the host", self._describe, deadline_s=30.0)

    def _describe(self, connection: libvirt.virConnect) -> ObservedHost:
        if self._emulations is None:
            self._emulations = capabilities.emulations(connection, kvm_runs)
        info = connection.getInfo()
        networks = connection.listAllNetworks()
        return ObservedHost(
            hostname=connection.getHostname(),
            cores=int(info[2]),
            memory_mib=int(info[1]),
            emulations=self._emulations,
            storage_pools=_with_default(_read_pools(connection)),
            libvirt_networks=tuple(
                sorted(
                    (xml_in.network(each.XMLDesc(), active=bool(each.isActive())) for each in networks),
                    key=lambda network: network.name,
                )
            ),
            machines=_read_machines(connection),
        )

    def find_machine(self, uuid: str) -> ObservedMachine | None:
        """Read one machine."""

        def read(connection: libvirt.virConnect) -> ObservedMachine | None:
            domain = _find_domain(connection, uuid)
            if domain is None:
                return None
            return xml_in.machine(domain.XMLDesc(), _power(domain), xml_in.no_volume)

        return self._connection.read(f"read machine {uuid}", read)

    def power(self, uuid: str) -> PowerState:
        """Whether it runs."""

        def read(connection: libvirt.virConnect) -> PowerState:
            domain = _find_domain(connection, uuid)
            return PowerState.UNKNOWN if domain is None else _power(domain)

        return self._connection.read(f"read the power of {uuid}", read)

    def render(self, spec: MachineSpec) -> str:
        """The domain XML; paths of volumes that do not exist yet are those they will have."""
        return self._connection.read(f"render machine {spec.name}", lambda c: self._render(c, spec))

    def _render(self, connection: libvirt.virConnect, spec: MachineSpec) -> str:
        paths = {}
        for disk in spec.disks:
            pool = self._pool(connection, disk)
            volume = _find_volume(pool, disk.volume)
            directory = xml_in.parse(pool.XMLDesc()).findtext("target/path", "")
            paths[disk.volume] = volume.path() if volume is not None else f"{directory}/{disk.volume}"
        return xml_out.domain_xml(spec, paths)

    def console_log(self, uuid: str, limit_bytes: int = 65536) -> str:
        """The end of the serial console's log."""
        machine = self.find_machine(uuid)
        if machine is None:
            raise NotFound("machine", uuid)
        return self._read_file(self._uri, CONSOLE_LOG.format(name=machine.name), limit_bytes)

    # -- changes ---------------------------------------------------------------------------------------

    def ensure_volume(self, disk: Disk) -> None:
        """Make the volume, or find it as it should be."""
        self._connection.write(f"make volume {disk.volume}", lambda c: self._ensure_volume(c, disk))

    def _ensure_volume(self, connection: libvirt.virConnect, disk: Disk) -> None:
        pool = self._pool(connection, disk)
        volume = _find_volume(pool, disk.volume)
        if volume is None:
            kind = xml_in.parse(pool.XMLDesc()).get("type", "")
            pool.createXML(xml_out.volume_xml(disk, sparse=kind in _SPARSE_POOLS))
            return
        size = volume.info()[1]
        if not disk.size_bytes <= size <= disk.size_bytes + EXTENT_SLACK_BYTES:
            cause = f"there is one of that name with {size} bytes, not {disk.size_bytes}"
            raise HypervisorRejected(self._host, f"make volume {disk.volume}", cause)

    def delete_volume(self, disk: Disk) -> None:
        """Delete the volume if it is there."""

        def delete(connection: libvirt.virConnect) -> None:
            volume = _find_volume(self._pool(connection, disk), disk.volume)
            if volume is not None:
                volume.delete()

        self._connection.write(f"delete volume {disk.volume}", delete)

    def ensure_machine(self, spec: MachineSpec) -> None:
        """Define the machine, unless it is defined already."""
        self._connection.write(f"define machine {spec.name}", lambda c: self._ensure_machine(c, spec))

    def _ensure_machine(self, connection: libvirt.virConnect, spec: MachineSpec) -> None:
        domain = _find_domain(connection, spec.uuid)
        if domain is None:
            flags = 0 if connection.getType() == "TEST" else libvirt.VIR_DOMAIN_DEFINE_VALIDATE
            connection.defineXMLFlags(self._render(connection, spec), flags)
            return
        self._check_ours(domain, f"define machine {spec.name}", spec.system_id)

    def delete_machine(self, uuid: str) -> None:
        """Stop and undefine it; its volumes stay."""

        def delete(connection: libvirt.virConnect) -> None:
            domain = _find_domain(connection, uuid)
            if domain is None:
                return
            self._check_ours(domain, f"delete machine {domain.name()}")
            if domain.isActive():
                _destroy(domain)
            if domain.isPersistent():
                domain.undefineFlags(_undefine_flags(connection))

        self._connection.write(f"delete machine {uuid}", delete)

    def start(self, uuid: str) -> None:
        """Power on."""

        def start(connection: libvirt.virConnect) -> None:
            domain = self._get_domain(connection, uuid, "start")
            if not domain.isActive():
                domain.create()

        self._connection.write(f"start machine {uuid}", start)

    def stop(self, uuid: str, *, force: bool = False) -> None:
        """Ask it to shut down, or cut its power; one that is off or gone is left alone."""

        def stop(connection: libvirt.virConnect) -> None:
            domain = _find_domain(connection, uuid)
            if domain is None or not domain.isActive():
                return
            if force:
                _destroy(domain)
            else:
                domain.shutdown()

        self._connection.write(f"stop machine {uuid}", stop)

    # -- look-ups ----------------------------------------------------------------------------------------

    def _pool(self, connection: libvirt.virConnect, disk: Disk) -> libvirt.virStoragePool:
        try:
            return connection.storagePoolLookupByName(disk.pool)
        except libvirt.libvirtError as error:
            if is_missing(error):
                action = f"find storage pool {disk.pool}"
                raise HypervisorRejected(self._host, action, "it is not there") from error
            raise

    def _get_domain(self, connection: libvirt.virConnect, uuid: str, action: str) -> libvirt.virDomain:
        domain = _find_domain(connection, uuid)
        if domain is None:
            raise HypervisorRejected(self._host, f"{action} machine {uuid}", "it is not there")
        return domain

    def _check_ours(self, domain: libvirt.virDomain, action: str, system_id: str | None = None) -> None:
        mark = xml_in.machine(domain.XMLDesc(), PowerState.UNKNOWN, xml_in.no_volume).system_id
        if mark is None or (system_id is not None and mark != system_id):
            cause = "a machine of that UUID is there that hostloom did not make"
            raise HypervisorRejected(self._host, action, cause)


def _find_domain(connection: libvirt.virConnect, uuid: str) -> libvirt.virDomain | None:
    try:
        return connection.lookupByUUIDString(uuid)
    except libvirt.libvirtError as error:
        if is_missing(error):
            return None
        raise


def _find_volume(pool: libvirt.virStoragePool, name: str) -> libvirt.virStorageVol | None:
    try:
        return pool.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if is_missing(error):
            return None
        raise


def _destroy(domain: libvirt.virDomain) -> None:
    """Cut the power; one that went off by itself in the meantime is as good."""
    try:
        domain.destroy()
    except libvirt.libvirtError:
        if domain.isActive():
            raise


def _undefine_flags(connection: libvirt.virConnect) -> int:
    flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    if connection.getType() != "TEST":
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    return int(flags)


def _power(domain: libvirt.virDomain) -> PowerState:
    return PowerState.ON if domain.state()[0] in _ON else PowerState.OFF


def _read_pools(connection: libvirt.virConnect) -> list[StoragePool]:
    pools = []
    for each in connection.listAllStoragePools():
        active = bool(each.isActive())
        info = each.info()
        pools.append(xml_in.storage_pool(each.XMLDesc(), (info[1], info[2], info[3]), active=active))
    return sorted(pools, key=lambda pool: pool.name)


def _with_default(pools: list[StoragePool]) -> tuple[StoragePool, ...]:
    """The default pool is the one named `default`, else the only one."""
    names = [pool.name for pool in pools if pool.active]
    default = "default" if "default" in names else names[0] if len(names) == 1 else None
    return tuple(replace(pool, is_default=pool.name == default) for pool in pools)


def _read_machines(connection: libvirt.virConnect) -> tuple[ObservedMachine, ...]:
    def find_volume(path: str) -> tuple[str, str, int] | None:
        try:
            volume = connection.storageVolLookupByPath(path)
        except libvirt.libvirtError:
            return None
        return volume.storagePoolLookupByVolume().name(), volume.name(), int(volume.info()[1])

    found = []
    stats = {}
    if connection.getType() != "TEST":
        flags = libvirt.VIR_DOMAIN_STATS_STATE
        stats = {d.UUIDString(): values for d, values in connection.getAllDomainStats(flags)}
    for domain in connection.listAllDomains():
        state = stats.get(domain.UUIDString(), {}).get("state.state")
        power = _power(domain) if state is None else PowerState.ON if state in _ON else PowerState.OFF
        found.append(xml_in.machine(domain.XMLDesc(), power, find_volume))
    return tuple(sorted(found, key=lambda machine: machine.name))


class LibvirtHypervisors:
    """The hypervisors of all hosts.

    `resolve` turns a URI into one that libvirt opens here: `qemu+ssh://` becomes the local socket of an SSH
    connection that forwards libvirt's; `read_file` reads a file's end on the host of a URI.
    """

    def __init__(self, resolve: Callable[[str], str], read_file: ReadFile) -> None:
        silence_libvirt()
        self._resolve, self._read_file = resolve, read_file
        self._lock = threading.Lock()
        self._known: dict[str, tuple[HostConnection, LibvirtHypervisor]] = {}

    def of(self, host: str, uri: str) -> LibvirtHypervisor:
        """The hypervisor at a URI."""
        with self._lock:
            if uri not in self._known:
                connection = HostConnection(host, uri, self._resolve)
                self._known[uri] = connection, LibvirtHypervisor(host, uri, connection, self._read_file)
            return self._known[uri][1]

    def forget(self, uri: str) -> None:
        """Close the connection to a host."""
        with self._lock:
            known = self._known.pop(uri, None)
        if known is not None:
            known[0].close()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            known, self._known = list(self._known.values()), {}
        for connection, _ in known:
            connection.close()
