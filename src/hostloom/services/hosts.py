"""Hosts: add them, look at them, say how they are, let them go."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hostloom.decide.hosts.drift import drift
from hostloom.model.access import Principal
from hostloom.model.attachment import MacvlanMode
from hostloom.model.decimals import exact
from hostloom.model.errors import (
    AlreadyExists,
    HostKeyUnknown,
    InUse,
    InvalidValue,
    NotFound,
    NotTogether,
    StaleGeneration,
)
from hostloom.model.event import Event
from hostloom.model.host import (
    BEING_READ,
    MAX_OVER_COMMIT,
    Correlation,
    CorrelationEvidence,
    CorrelationState,
    Host,
    InstalledBy,
    with_default,
)
from hostloom.model.host_uri import parse_host_uri
from hostloom.model.ids import HostId, SystemId
from hostloom.model.keep import KEEP, Keep, changed
from hostloom.model.machine import MachineOrigin
from hostloom.model.operation import FINISHED, Operation
from hostloom.ports.context import Ports
from hostloom.ports.hosts import HostKeys, OfferedKey
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.add_host import ADD_HOST, AddHostInput
from hostloom.sagas.refresh import REFRESH, RefreshInput
from hostloom.serialization import from_json
from hostloom.services.access import require_admin, require_user
from hostloom.services.enqueue import start_saga
from hostloom.services.groupings import resource_pool_id, zone_id
from hostloom.services.host_endpoints import check_new_endpoint
from hostloom.services.naming import check_name, is_id
from hostloom.services.ssh_keys import move_key

#: So many operations back it is remembered why a host could not be added.
RECENT = 500


@dataclass(frozen=True)
class HostInput:
    """A host to add; `accept_key`: the fingerprint of its SSH key, as `HostKeyUnknown` showed it.

    `id`: the one that it had in another system, where nothing else has it; any, if none is given.
    """

    name: str
    uri: str
    #: Fingerprint of the SSH key that the user compared and accepts.
    accept_key: str | None = None
    #: Pin the first key that it shows: for clients that cannot compare one.
    trust_first_key: bool = False
    adopt: bool = True
    installed_by: InstalledBy | None = None
    default_macvlan_mode: MacvlanMode | None = None
    cpu_over_commit_ratio: float = 1.0
    memory_over_commit_ratio: float = 1.0
    zone: str | None = None
    resource_pool: str | None = None
    tags: tuple[str, ...] = ()
    #: The id that it had in another system; None: any.
    id: int | None = None
    #: Record the host before it is read, for clients that need its id at once.
    at_once: bool = False


@dataclass(frozen=True)
class HostChanges:
    """What to change of a host; `node` by system id; `accept_key` pins the SSH key of that fingerprint."""

    name: str | Keep = KEEP
    uri: str | Keep = KEEP
    installed_by: InstalledBy | Keep = KEEP
    #: None: the usual mode.
    default_macvlan_mode: MacvlanMode | Keep | None = KEEP
    cpu_over_commit_ratio: float | Keep = KEEP
    memory_over_commit_ratio: float | Keep = KEEP
    zone: str | Keep = KEEP
    resource_pool: str | Keep = KEEP
    tags: tuple[str, ...] | Keep = KEEP
    #: The node that the host is, chosen by the operator.
    node: SystemId | Keep = KEEP
    #: Drop the pinned SSH key: nothing is sent to the host until one is accepted.
    forget_key: bool = False
    #: Pin the SSH key with this fingerprint instead, which the user has compared: the host was reinstalled.
    accept_key: str | Keep = KEEP
    #: Of another URI whose host has shown no key yet: pin the first one that it shows.
    trust_first_key: bool = False
    #: The pool for disks that name none; empty: the one named `default`, or the only one.
    default_pool: str | Keep = KEEP


def list_(
    uow: UnitOfWork, principal: Principal, after: HostId | None = None, limit: int | None = None
) -> list[Host]:
    """By id."""
    require_user(principal, "see hosts")
    return uow.hosts.list(after, limit)


def get(uow: UnitOfWork, principal: Principal, key: str) -> Host:
    """By name or id; NotFound."""
    require_user(principal, "see hosts")
    host = uow.hosts.find(key)
    if host is None and is_id(key):
        return uow.hosts.get(HostId(int(key)))
    if host is None:
        raise NotFound("host", key)
    return host


def as_seen_by(principal: Principal, host: Host) -> Host:
    """A host; only administrators see how it is reached, and what could not be read there."""
    if principal.admin:
        return host
    return replace(host, uri="", host_key="", unreachable_cause="", findings=())


def uri_of(principal: Principal, host: Host) -> str:
    """How a host is reached: for administrators."""
    require_admin(principal, "see how hosts are reached")
    return host.uri


def add(ports: Ports, principal: Principal, wanted: HostInput) -> Operation:
    """Record the wish to add a host; its SSH key is checked before anything is sent to it."""
    require_admin(principal, "add hosts")
    check_name(wanted.name)
    parse_host_uri(wanted.uri, ports.settings.uris)
    with ports.store.begin() as uow:
        _check_free(uow, wanted.name, wanted.uri, wanted.id)
        check_new_endpoint(uow, ports, wanted.uri)
    accepted = wanted.accept_key
    if wanted.trust_first_key and accepted is None:
        accepted = _first_key(ports.keys, wanted.uri)
    _check_key(ports.keys, wanted.name, wanted.uri, accepted)
    with ports.store.begin() as uow:
        _check_free(uow, wanted.name, wanted.uri, wanted.id)
        if accepted != wanted.accept_key:
            _tell_trust(uow, ports, wanted.name, accepted)
        host = Host(
            HostId(wanted.id or 0),
            wanted.name,
            wanted.uri,
            installed_by=wanted.installed_by or InstalledBy.UNKNOWN,
            default_macvlan_mode=wanted.default_macvlan_mode,
            cpu_over_commit_ratio=_ratio("cpu_over_commit_ratio", wanted.cpu_over_commit_ratio),
            memory_over_commit_ratio=_ratio("memory_over_commit_ratio", wanted.memory_over_commit_ratio),
            zone_id=zone_id(uow, wanted.zone),
            resource_pool_id=resource_pool_id(uow, wanted.resource_pool),
            tags=wanted.tags,
        )
        if wanted.at_once:
            host = uow.hosts.add(replace(host, reachable=False, unreachable_cause=BEING_READ))
        add_host_input = AddHostInput(host, accepted or "", wanted.adopt, recorded=wanted.at_once)
        operation = start_saga(uow, ports, principal, ADD_HOST, add_host_input, f"host {wanted.name}")
        uow.commit()
    return operation


def added_host(operation: Operation) -> Host:
    """The host that an operation adds, as it was recorded when the operation began."""
    return from_json(operation.input, AddHostInput).host


def why_lost(uow: UnitOfWork, principal: Principal, key: HostId) -> str | None:
    """Why a host that was recorded at once is gone again: it could not be read. None: not known."""
    require_user(principal, "see hosts")
    for operation in uow.operations.list(limit=RECENT):
        if operation.saga == ADD_HOST.name and operation.state in FINISHED and operation.error:
            add_host_input = from_json(operation.input, AddHostInput)
            if add_host_input.recorded and add_host_input.host.id == key:
                return (
                    f"Host {add_host_input.host.name} could not be read and was not added: {operation.error}"
                )
    return None


def update(
    ports: Ports, principal: Principal, key: str, changes: HostChanges, generation: int | None = None
) -> Host:
    """Change a host; a new URI or node correlates it anew at the refresh that follows."""
    require_admin(principal, "change hosts")
    accepted = None
    if changes.uri is not KEEP:
        _check_endpoint(ports, principal, key, changes.uri)
    if changes.trust_first_key and changes.uri is not KEEP and changes.accept_key is KEEP:
        changes = replace(changes, accept_key=_first_key(ports.keys, changes.uri) or KEEP)
    if changes.accept_key is not KEEP:
        with ports.store.begin() as uow:
            host = get(uow, principal, key)
        accepted = _accepted(ports.keys, host.name, changed(changes.uri, host.uri), changes.accept_key)
    with ports.store.begin() as uow:
        host = get(uow, principal, key)
        _check_generation(host, generation)
        if changes.forget_key and changes.accept_key is not KEEP:
            raise NotTogether("forget_key", "accept_key")
        if changes.trust_first_key and changes.accept_key is not KEEP:
            _tell_trust(uow, ports, host.name, changes.accept_key)
        stored = uow.hosts.update(_apply(uow, host, changes))
        is_other = (stored.uri, stored.uuid) != (host.uri, host.uuid)
        if is_other or stored.correlation != host.correlation:
            start_saga(uow, ports, principal, REFRESH, RefreshInput(stored.name), f"host {stored.name}")
        uow.commit()
    if changes.forget_key or accepted is not None or stored.uri != host.uri:
        ports.hypervisors.forget(host.uri)
    if changes.forget_key:
        ports.keys.forget(host.uri)
    move_key(ports.keys, host.uri, stored.uri, accepted)
    return stored


def _check_endpoint(ports: Ports, principal: Principal, key: str, uri: str) -> None:
    parse_host_uri(uri, ports.settings.uris)
    with ports.store.begin() as uow:
        check_new_endpoint(uow, ports, uri, get(uow, principal, key).id)


def _first_key(keys: HostKeys, uri: str) -> str | None:
    """The fingerprint of the first key that a host shows; None where it has one already, or needs none."""
    if keys.pinned(uri) is not None:
        return None
    offered = keys.offered(uri)
    return offered[0].fingerprint if offered else None


def _tell_trust(uow: UnitOfWork, ports: Ports, name: str, fingerprint: str | None) -> None:
    text = f"the first SSH key that it showed is trusted from now on: {fingerprint}"
    uow.events.add(Event("host-key-trusted", f"host {name}", text, ports.clock.now()))


def _pool(host: Host, name: str | Keep) -> str:
    if name is KEEP:
        return host.default_pool
    if name and not any(storage_pool.name == name for storage_pool in host.storage_pools):
        names = ", ".join(storage_pool.name for storage_pool in host.storage_pools) or "none"
        raise InvalidValue(
            "default_pool", name, f"is not a storage pool of host {host.name}", f"choose from: {names}"
        )
    return name


def _accepted(keys: HostKeys, name: str, uri: str, fingerprint: str) -> OfferedKey:
    """The key that the host shows now, if it is the one that was accepted."""
    offered = keys.offered(uri)
    for key in offered:
        if key.fingerprint == fingerprint:
            return key
    raise HostKeyUnknown(name, ", ".join(key.fingerprint for key in offered))


def delete(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> None:
    """Let a host go; refused while composed machines are on it. Nothing on the host itself is touched."""
    require_admin(principal, "delete hosts")
    with ports.store.begin() as uow:
        host = get(uow, principal, key)
        _check_generation(host, generation)
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
        host = get(uow, principal, key)
        operation = start_saga(uow, ports, principal, REFRESH, RefreshInput(host.name), f"host {host.name}")
        uow.commit()
    return operation


def scan(ports: Ports, principal: Principal, key: str) -> dict[str, Any]:
    """What a refresh would change of the host's interfaces, recording nothing."""
    require_admin(principal, "scan hosts")
    with ports.store.begin() as uow:
        host = get(uow, principal, key)
        system_id = host.correlation.system_id
        node = None if system_id is None else uow.nodes.get(system_id)
    observed_network = ports.scanner.scan(host.uri)
    changes = [
        {"kind": each.kind, "subject": each.subject, "recorded": each.recorded, "observed": each.observed}
        for each in drift(node, observed_network)
    ]
    return {"host": host.name, "node": node.hostname if node else None, "changes": changes}


def _apply(uow: UnitOfWork, host: Host, changes: HostChanges) -> Host:
    zone, resource_pool = changes.zone, changes.resource_pool
    correlation = host.correlation
    if changes.node is not KEEP:
        uow.nodes.get(changes.node)
        correlation = Correlation(CorrelationState.CORRELATED, changes.node, CorrelationEvidence.OPERATOR)
    pool = _pool(host, changes.default_pool)
    # The operator says which machine it is: whatever answers next is taken for it.
    is_resolved = host.correlation.state is CorrelationState.AMBIGUOUS and changes.uri is not KEEP
    return replace(
        host,
        name=host.name if changes.name is KEEP else check_name(changes.name),
        uri=changed(changes.uri, host.uri),
        installed_by=changed(changes.installed_by, host.installed_by),
        default_macvlan_mode=changed(changes.default_macvlan_mode, host.default_macvlan_mode),
        cpu_over_commit_ratio=_ratio(
            "cpu_over_commit_ratio", changes.cpu_over_commit_ratio, host.cpu_over_commit_ratio
        ),
        memory_over_commit_ratio=_ratio(
            "memory_over_commit_ratio", changes.memory_over_commit_ratio, host.memory_over_commit_ratio
        ),
        zone_id=host.zone_id if zone is KEEP else zone_id(uow, zone),
        resource_pool_id=host.resource_pool_id
        if resource_pool is KEEP
        else resource_pool_id(uow, resource_pool),
        tags=changed(changes.tags, host.tags),
        correlation=correlation,
        default_pool=pool,
        storage_pools=with_default(host.storage_pools, pool),
        uuid="" if is_resolved or changes.node is not KEEP else host.uuid,
        host_key="" if changes.forget_key else changed(changes.accept_key, host.host_key),
    )


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


def _check_generation(host: Host, generation: int | None) -> None:
    if generation is not None and generation != host.generation:
        raise StaleGeneration("host", host.name, generation, host.generation)


def _ratio(field: str, value: float | Keep, current: Decimal = Decimal(1)) -> Decimal:
    if value is KEEP:
        return current
    if not 0 <= value <= MAX_OVER_COMMIT:
        raise InvalidValue(field, value, "is out of range", f"use a ratio from 0 to {MAX_OVER_COMMIT}")
    return exact(value)
