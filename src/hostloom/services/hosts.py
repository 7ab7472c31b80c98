"""Hosts: list, change and delete."""

from dataclasses import dataclass, replace
from typing import Any

from hostloom.decide.hosts.drift import drift
from hostloom.decide.hosts.nic_vlans import map_nic
from hostloom.decide.hosts.origin import HostOrigin, origin_of
from hostloom.model.access import Principal
from hostloom.model.attachment import Attachment, MacvlanMode
from hostloom.model.errors.outside import HostKeyUnknown
from hostloom.model.errors.resources import AlreadyExists, InUse
from hostloom.model.host import (
    BEING_READ,
    Host,
    InstalledBy,
)
from hostloom.model.host_uri import parse_host_uri
from hostloom.model.ids import HostId, MacAddress
from hostloom.model.machine import MachineOrigin
from hostloom.model.operation import FINISHED, Operation
from hostloom.ports.context import Ports
from hostloom.ports.hosts import HostKeys
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_endpoints import check_new_endpoint
from hostloom.sagas.add_host import ADD_HOST, AddHostInput
from hostloom.sagas.refresh import REFRESH, RefreshInput
from hostloom.sagas.saga import start_saga
from hostloom.serialization import from_json
from hostloom.services.access import require_admin, require_user
from hostloom.services.groupings import with_group_ids
from hostloom.services.host_checks import first_key, record_trust, with_exact_ratios
from hostloom.services.naming import check_name
from hostloom.services.nouns import ReadNoun, fields_of

#: Number of operations that are searched for the reason why a host could not be added.
RECENT = 500
#: Fields of an input that say how the host is added.
_ONLY_FOR_ADDING = ("id", "accept_key", "trust_first_key", "adopt", "at_once")


@dataclass(frozen=True)
class HostInput:
    """A host to add; `accept_key`: the fingerprint of its SSH key, as `HostKeyUnknown` showed it.

    `id`: its id in another system, used if it is free here; without it a new id is assigned.
    """

    name: str
    uri: str
    #: Fingerprint of the SSH key that the user compared and accepts.
    accept_key: str | None = None
    #: Pin the first key that the host shows, for clients that cannot verify keys.
    trust_first_key: bool = False
    adopt: bool = True
    installed_by: InstalledBy | None = None
    default_macvlan_mode: MacvlanMode | None = None
    cpu_over_commit_ratio: float = 1.0
    memory_over_commit_ratio: float = 1.0
    zone: str | None = None
    resource_pool: str | None = None
    tags: tuple[str, ...] = ()
    #: The id in another system; None: any id.
    id: int | None = None
    #: Record the host before it is read, for clients that need its id at once.
    at_once: bool = False


def as_seen_by(principal: Principal, host: Host) -> Host:
    """A host; only administrators see its URI and the parts that could not be read."""
    if principal.admin:
        return host
    return replace(host, uri="", host_key="", unreachable_cause="", findings=())


class _ShownHosts(ReadNoun[Host]):
    """Hosts as answers show them."""

    def list(
        self, uow: UnitOfWork, principal: Principal, after: int | None = None, limit: int | None = None
    ) -> list[Host]:
        """By id, from after `after`."""
        return [as_seen_by(principal, host) for host in super().list(uow, principal, after, limit)]

    def get(self, uow: UnitOfWork, principal: Principal, key: str) -> Host:
        """By name or id; NotFound."""
        return as_seen_by(principal, super().get(uow, principal, key))


HOSTS = ReadNoun[Host]("host", lambda uow: uow.hosts)
SHOWN_HOSTS = _ShownHosts("host", lambda uow: uow.hosts)


def uri_of(principal: Principal, host: Host) -> str:
    """The URI of a host, for administrators."""
    require_admin(principal, "see how hosts are reached")
    return host.uri


def add(ports: Ports, principal: Principal, fields: HostInput) -> Operation:
    """Record an operation that adds a host; its SSH key is checked before anything is sent to it."""
    require_admin(principal, "add hosts")
    check_name(fields.name)
    parse_host_uri(fields.uri, ports.settings.uris)
    with ports.store.begin() as uow:
        _check_free(uow, fields.name, fields.uri, fields.id)
        check_new_endpoint(uow, ports, fields.uri)
    accepted = fields.accept_key
    if fields.trust_first_key and accepted is None:
        accepted = first_key(ports.keys, fields.uri)
    _check_key(ports.keys, fields.name, fields.uri, accepted)
    with ports.store.begin() as uow:
        _check_free(uow, fields.name, fields.uri, fields.id)
        host_fields = fields_of(
            fields, *_ONLY_FOR_ADDING, installed_by=fields.installed_by or InstalledBy.UNKNOWN
        )
        host = Host(HostId(fields.id or 0), **with_group_ids(uow, with_exact_ratios(host_fields)))
        if fields.at_once:
            host = uow.hosts.add(replace(host, reachable=False, unreachable_cause=BEING_READ))
        if accepted != fields.accept_key:
            record_trust(uow, ports, host, accepted)
        add_host_input = AddHostInput(host, accepted or "", fields.adopt, recorded=fields.at_once)
        operation = start_saga(uow, ports, principal, ADD_HOST, add_host_input, f"host {fields.name}")
        uow.commit()
    return operation


def added_host(operation: Operation) -> Host:
    """The host that an operation adds, as recorded when the operation started."""
    return from_json(operation.input, AddHostInput).host


def why_lost(uow: UnitOfWork, principal: Principal, key: HostId) -> str | None:
    """Why a host that was recorded in advance could not be read and was removed; None if unknown."""
    require_user(principal, "see hosts")
    for operation in uow.operations.list(limit=RECENT, saga=ADD_HOST.name):
        if operation.state in FINISHED and operation.error:
            add_host_input = from_json(operation.input, AddHostInput)
            if add_host_input.recorded and add_host_input.host.id == key:
                return (
                    f"Host {add_host_input.host.name} could not be read and was not added: {operation.error}"
                )
    return None


def delete(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete the record of a host; InUse while it has composed machines. The host itself is not changed."""
    require_admin(principal, "delete hosts")
    with ports.store.begin() as uow:
        host = HOSTS.find_current(uow, key, generation)
        machines = uow.machines.of_host(host.id)
        if composed := [m for m in machines if m.origin is MachineOrigin.COMPOSED]:
            raise InUse("host", host.name, [f"machine {m.hostname}" for m in composed])
        for machine in machines:
            uow.release([machine.system_id])
        uow.hosts.delete(host.id)
        uow.commit()
    ports.hypervisors.forget(host.uri)
    ports.keys.release(host.uri)


def refresh(ports: Ports, principal: Principal, key: str) -> Operation:
    """Re-read a host and record what changed."""
    require_admin(principal, "refresh hosts")
    with ports.store.begin() as uow:
        host = HOSTS.get(uow, principal, key)
        operation = start_saga(uow, ports, principal, REFRESH, RefreshInput(host.name), f"host {host.name}")
        uow.commit()
    return operation


def scan(ports: Ports, principal: Principal, key: str) -> dict[str, Any]:
    """How a refresh would change the host's interfaces, without recording it."""
    require_admin(principal, "scan hosts")
    with ports.store.begin() as uow:
        host = HOSTS.get(uow, principal, key)
        system_id = host.correlation.system_id
        node = None if system_id is None else uow.nodes.get(system_id)
    observed_network = ports.scanner.scan(host.uri)
    changes = [
        {
            "kind": change.kind,
            "subject": change.subject,
            "recorded": change.recorded,
            "observed": change.observed,
        }
        for change in drift(node, observed_network)
    ]
    return {"host": host.name, "node": node.hostname if node else None, "changes": changes}


@dataclass(frozen=True)
class MappedNic:
    """A NIC of a machine that others created; `vlan` is None if it has none or it is unknown."""

    #: The hostname of the machine; of one that is not recorded yet, its name in libvirt.
    machine: str
    mac: MacAddress
    attachment: Attachment
    vlan: str | None
    #: Why `vlan` is None.
    why_not: str


@dataclass(frozen=True)
class Adoption:
    """What a refresh records of the NICs of machines that others created."""

    host: str
    origin: HostOrigin
    nics: tuple[MappedNic, ...]


def adoption(ports: Ports, principal: Principal, key: str) -> Adoption:
    """Read a host's machines and map the NICs of those that others created, without recording it.

    The VLANs of the host's interfaces are the recorded ones. DriverError if the host does not answer.
    """
    require_admin(principal, "read the machines of hosts")
    with ports.store.begin() as uow:
        host = HOSTS.get(uow, principal, key)
        snapshot, machines = uow.snapshot(), uow.machines.of_host(host.id)
    pools = [pool.name for pool in host.storage_pools]
    observed = ports.hypervisors.of(host.name, host.uri).describe(pools)
    node = snapshot.node_of(host)
    interfaces = {interface.name: interface for interface in (node.interfaces if node else ())}
    machine_by_uuid = {machine.uuid: machine for machine in machines}
    host = replace(host, libvirt_networks=observed.libvirt_networks)
    nics = []
    for one in observed.machines:
        machine = machine_by_uuid.get(one.uuid)
        if machine is not None and machine.origin is MachineOrigin.COMPOSED:
            continue
        name = one.name if machine is None else machine.hostname
        for nic in one.interfaces:
            mapping = map_nic(snapshot, host, interfaces, nic)
            vlan = snapshot.vlan_name(mapping.vlan_id)
            nics.append(MappedNic(name, nic.mac, nic.attachment, vlan, mapping.why_not))
    return Adoption(host.name, origin_of(host, node), tuple(nics))


def _check_key(keys: HostKeys, name: str, uri: str, accept_key: str | None) -> None:
    if keys.pinned(uri) is not None:
        return
    offered = keys.offered(uri)
    if offered and accept_key not in [key.fingerprint for key in offered]:
        raise HostKeyUnknown(name, offered[0].fingerprint)


def _check_free(uow: UnitOfWork, name: str, uri: str, key: int | None) -> None:
    for host in uow.hosts.list():
        if host.id == key:
            raise AlreadyExists("host id", key, f"belongs to host {host.name!r}")
        if host.name == name:
            raise AlreadyExists("host", name)
        if host.uri == uri:
            raise AlreadyExists("URI", uri, f"belongs to host {host.name!r}")
