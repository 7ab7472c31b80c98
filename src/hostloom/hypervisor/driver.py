"""The hypervisor port with libvirt: reads, and changes that may run twice."""

import logging
import weakref
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import libvirt

from hostloom.hypervisor import capabilities, domain_xml_in, xml_out
from hostloom.hypervisor.connection import HostConnection
from hostloom.hypervisor.domains import LibvirtDomains
from hostloom.hypervisor.host_access import HostAccess
from hostloom.hypervisor.libvirt_names import CONSOLE_LOG
from hostloom.hypervisor.lookups import find_domain, mark_of, power_of
from hostloom.hypervisor.networks import LibvirtNetworks, Proceed
from hostloom.hypervisor.nics import LibvirtNics
from hostloom.hypervisor.partial_reads import reading
from hostloom.hypervisor.pools import PoolReader, PoolsRead
from hostloom.hypervisor.probe import kvm_runs
from hostloom.hypervisor.reading import DiskSizes, read_host, read_machine
from hostloom.hypervisor.volumes import LibvirtVolumes
from hostloom.model.errors.outside import HostRefused, HypervisorRejected
from hostloom.model.finding import Findings
from hostloom.model.host import Emulation
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineSpec, PowerState
from hostloom.model.observed import ObservedHost, ObservedMachine

_Emulations = weakref.WeakKeyDictionary[libvirt.virConnect, tuple[Emulation, ...]]

log = logging.getLogger(__name__)

#: virtlogd's default of `max_backups`.
LOGS_KEPT = 3
#: Reading a host may include a probe for KVM.
DESCRIBE_S = 60.0
#: Deadline of a ping, so that a hanging host is noticed within a minute.
PING_S = 10.0


class LibvirtHypervisor(LibvirtNics):
    """One host."""

    def __init__(self, uri: str, connection: HostConnection, reach: HostAccess) -> None:
        self._uri, self._connection, self._reach = uri, connection, reach
        self._pool_reader = PoolReader(connection.open_side)
        self._networks = LibvirtNetworks(connection)
        self._volumes = LibvirtVolumes(connection, self._pool_reader)
        self._domains = LibvirtDomains(connection)
        self._sizes = DiskSizes()
        # A host's capabilities change only together with a new connection.
        self._emulations: _Emulations = weakref.WeakKeyDictionary()
        self._uuids: weakref.WeakKeyDictionary[libvirt.virConnect, str] = weakref.WeakKeyDictionary()

    @property
    def networks(self) -> LibvirtNetworks:
        """The host's libvirt networks."""
        return self._networks

    @property
    def volumes(self) -> LibvirtVolumes:
        """The volumes of the host's machines."""
        return self._volumes

    @property
    def domains(self) -> LibvirtDomains:
        """Domains that stand in for bare machines."""
        return self._domains

    def close(self) -> None:
        """Close the connections to the host."""
        self._connection.close()
        self._pool_reader.close()

    # -- reads -----------------------------------------------------------------------------------------

    def describe(self, pools: Sequence[str] = ()) -> ObservedHost:
        """Read everything in bulk; capabilities are probed once per connection."""
        return self._connection.read("read the host", lambda c: self._describe(c, pools), DESCRIBE_S)

    def ping(self) -> None:
        """Return when libvirt answers."""
        self._connection.ping(lambda connection: connection.getLibVersion(), PING_S)

    def _describe(self, connection: libvirt.virConnect, names: Sequence[str]) -> ObservedHost:
        findings = Findings()
        pools = self._pool_reader.read(connection, findings, names)
        emulations = self._emulations.get(connection, ())
        if not emulations:
            emulations = self._read_emulations(connection, pools, findings)
        uuid = self._uuids.get(connection, "")
        if not uuid:
            with reading(findings, connection, "the host's UUID", "libvirt's description of the host"):
                uuid = self._uuids[connection] = capabilities.host_uuid(connection)
        return replace(read_host(connection, emulations, pools, findings, self._sizes), uuid=uuid)

    def _read_emulations(
        self, connection: libvirt.virConnect, pools: PoolsRead, findings: Findings
    ) -> tuple[Emulation, ...]:
        """The host's capabilities; they are read again next time if a part could not be read."""
        emulations: tuple[Emulation, ...] = ()
        earlier_findings = findings.all()
        with reading(findings, connection, "capabilities", "what can run here, as libvirt describes it"):
            probe = partial(kvm_runs, pools=pools.pools)
            emulations = capabilities.emulations(connection, probe, findings)
        if findings.all() == earlier_findings:
            self._emulations[connection] = emulations
        return emulations

    def find_machine(self, uuid: str) -> ObservedMachine | None:
        """Read one machine."""

        def read(connection: libvirt.virConnect) -> ObservedMachine | None:
            domain = find_domain(connection, uuid)
            if domain is None:
                return None
            pools = self._pool_reader.read(connection, Findings(), look=False)
            return read_machine(connection, domain, pools.pools)

        return self._connection.read(f"read machine {uuid}", read)

    def power(self, uuid: str) -> PowerState:
        """Whether the machine is running."""

        def read(connection: libvirt.virConnect) -> PowerState:
            domain = find_domain(connection, uuid)
            return PowerState.UNKNOWN if domain is None else power_of(domain.state()[0])

        return self._connection.read(f"read the power of {uuid}", read)

    def render(self, spec: MachineSpec) -> str:
        """The domain XML; volumes that do not exist yet have their future paths."""
        return self._connection.read(f"render machine {spec.name}", lambda c: self._render(c, spec))

    def console_log(self, uuid: str, limit_bytes: int = 65536) -> str:
        """The end of the serial console's log; empty if the machine has written nothing."""
        action = f"read the console of machine {uuid}"

        def find_file(connection: libvirt.virConnect) -> str:
            return domain_xml_in.console_log(self._get_domain(connection, uuid, action).XMLDesc())

        path = self._connection.read(action, find_file)
        if not path:
            raise self._rejected(action, "its console is not logged to a file")
        return self._reach.read_file(self._uri, path, limit_bytes)

    # -- changes ---------------------------------------------------------------------------------------

    def ensure_machine(self, spec: MachineSpec) -> None:
        """Define the machine unless it is already defined."""
        action = f"define machine {spec.name}"

        def define(connection: libvirt.virConnect, proceed: Proceed) -> None:
            domain = find_domain(connection, spec.uuid)
            if domain is not None:
                self._check_ours(domain, action, spec.system_id)
            else:
                xml = self._render(connection, spec)
                proceed()
                # Not validated here: libvirt reads the schema each time (7 ms). Tests validate the golden
                # files.
                domain = connection.defineXML(xml)
            if spec.autostart:
                proceed()
                domain.setAutostart(1)

        self._connection.write(action, define)

    def delete_machine(self, uuid: str) -> None:
        """Stop and undefine it, and delete the log of its console; its volumes stay."""
        action = f"delete machine {uuid}"

        def stop(connection: libvirt.virConnect, proceed: Proceed) -> str:
            domain = find_domain(connection, uuid)
            if domain is None:
                return ""
            self._check_ours(domain, f"delete machine {domain.name()}")
            proceed()
            if domain.isActive():
                _destroy(domain)
            path = domain_xml_in.console_log(domain.XMLDesc())
            return path if path == CONSOLE_LOG.format(name=domain.name()) else ""

        def undefine(connection: libvirt.virConnect, proceed: Proceed) -> None:
            domain = find_domain(connection, uuid)
            if domain is not None:
                self._check_ours(domain, action)
                proceed()
                domain.undefineFlags(_undefine_flags(connection))

        if path := self._connection.write(action, stop):
            self._remove_log(path)
        self._connection.write(action, undefine)

    def _remove_log(self, path: str) -> None:
        """Delete the console's log and its backups; a failure is ignored."""
        try:
            self._reach.remove_files(self._uri, path, *(f"{path}.{n}" for n in range(LOGS_KEPT)))
        except HostRefused as error:
            log.info("%s stays: %s", path, error)

    def start(self, uuid: str, mark: SystemId | None = None) -> None:
        """Power on; a running machine is left alone."""

        def start(connection: libvirt.virConnect, proceed: Proceed) -> None:
            domain = self._get_domain(connection, uuid, f"start machine {uuid}")
            if domain.isActive():
                return
            if mark is not None:
                self._check_ours(domain, f"start machine {domain.name()}", mark)
            proceed()
            domain.create()

        self._connection.write(f"start machine {uuid}", start)

    def stop(self, uuid: str, mark: SystemId | None = None, *, force: bool = False) -> None:
        """Shut the machine down, or cut its power; does nothing if the machine is off or missing."""

        def stop(connection: libvirt.virConnect, proceed: Proceed) -> None:
            domain = find_domain(connection, uuid)
            if domain is None or not domain.isActive():
                return
            if mark is not None:
                self._check_ours(domain, f"stop machine {domain.name()}", mark)
            proceed()
            if force:
                _destroy(domain)
            else:
                domain.shutdown()

        self._connection.write(f"stop machine {uuid}", stop)

    def set_autostart(self, uuid: str, mark: SystemId | None = None, *, enabled: bool) -> None:
        """Switch autostart on or off."""

        def write(connection: libvirt.virConnect, proceed: Proceed) -> None:
            domain = self._get_domain(connection, uuid, f"set the autostart of machine {uuid}")
            if mark is not None:
                self._check_ours(domain, f"set the autostart of machine {domain.name()}", mark)
            proceed()
            domain.setAutostart(int(enabled))

        self._connection.write(f"set the autostart of machine {uuid}", write)

    # -- parts -------------------------------------------------------------------------------------------

    def _rejected(self, action: str, cause: str) -> HypervisorRejected:
        return HypervisorRejected(self._connection.host, action, cause)

    def _render(self, connection: libvirt.virConnect, spec: MachineSpec) -> str:
        action = f"render machine {spec.name}"
        paths = {disk.volume: self._volumes.path(connection, disk, action) for disk in spec.disks}
        return xml_out.domain_xml(spec, paths)

    def _get_domain(self, connection: libvirt.virConnect, uuid: str, action: str) -> libvirt.virDomain:
        domain = find_domain(connection, uuid)
        if domain is None:
            raise self._rejected(action, "it does not exist")
        return domain

    def _check_ours(self, domain: libvirt.virDomain, action: str, system_id: str | None = None) -> None:
        mark = mark_of(domain)
        if mark is None:
            raise self._rejected(action, "a machine of that UUID is there that hostloom did not make")
        if system_id not in (None, mark):
            raise self._rejected(action, f"the machine of that UUID is marked as {mark}, not as {system_id}")


def _destroy(domain: libvirt.virDomain) -> None:
    """Cut the power; it is no error if the machine has gone off meanwhile."""
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
