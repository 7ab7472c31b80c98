"""Changes the record of a host."""

from dataclasses import dataclass, replace

from hostloom.model.access import Principal
from hostloom.model.attachment import MacvlanMode
from hostloom.model.errors.outside import HostKeyUnknown
from hostloom.model.errors.values import InvalidValue, NotTogether
from hostloom.model.host import (
    Correlation,
    CorrelationEvidence,
    CorrelationState,
    Host,
    InstalledBy,
    with_default,
)
from hostloom.model.host_uri import parse_host_uri
from hostloom.model.ids import SystemId
from hostloom.model.keep import KEEP, Keep, changed, changed_fields
from hostloom.ports.context import Ports
from hostloom.ports.hosts import HostKeys, OfferedKey
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_endpoints import check_new_endpoint
from hostloom.sagas.refresh import REFRESH, RefreshInput
from hostloom.sagas.saga import start_saga
from hostloom.services.access import require_admin
from hostloom.services.groupings import with_group_ids
from hostloom.services.host_checks import first_key, record_trust, with_exact_ratios
from hostloom.services.hosts import HOSTS
from hostloom.services.naming import check_name
from hostloom.services.ssh_keys import move_key


@dataclass(frozen=True)
class HostChanges:
    """Changes of a host; `node` by system id; `accept_key` pins the SSH key with this fingerprint."""

    name: str | Keep = KEEP
    uri: str | Keep = KEEP
    installed_by: InstalledBy | Keep = KEEP
    #: None: the default mode.
    default_macvlan_mode: MacvlanMode | Keep | None = KEEP
    cpu_over_commit_ratio: float | Keep = KEEP
    memory_over_commit_ratio: float | Keep = KEEP
    zone: str | Keep = KEEP
    resource_pool: str | Keep = KEEP
    tags: tuple[str, ...] | Keep = KEEP
    #: The node of the host, chosen by the operator.
    node: SystemId | Keep = KEEP
    #: Delete the pinned SSH key; nothing is sent to the host until another key is accepted.
    forget_key: bool = False
    #: Pin the SSH key with this fingerprint instead, which the user has verified, because the host was
    #: reinstalled.
    accept_key: str | Keep = KEEP
    #: Pin the first key that the host of a new URI shows.
    trust_first_key: bool = False
    #: The pool for disks without a pool; empty: the one named `default`, or the only one.
    default_pool: str | Keep = KEEP


#: Changes that are not fields of a host.
_NOT_STORED = ("node", "forget_key", "accept_key", "trust_first_key")


def update(
    ports: Ports, principal: Principal, key: str, changes: HostChanges, generation: int | None = None
) -> Host:
    """Change a host; after a new URI or node, the next refresh correlates it again."""
    require_admin(principal, "change hosts")
    if changes.uri is not KEEP:
        _check_endpoint(ports, principal, key, changes.uri)
        changes = _with_first_key(ports.keys, changes, changes.uri)
    accepted = _accepted_key(ports, principal, key, changes)
    with ports.store.begin() as uow:
        host = HOSTS.find_current(uow, key, generation)
        if changes.forget_key and changes.accept_key is not KEEP:
            raise NotTogether("forget_key", "accept_key")
        if changes.trust_first_key and changes.accept_key is not KEEP:
            record_trust(uow, ports, host, changes.accept_key)
        stored = uow.hosts.update(_apply(uow, host, changes))
        if _identity(stored) != _identity(host):
            start_saga(uow, ports, principal, REFRESH, RefreshInput(stored.name), f"host {stored.name}")
        uow.commit()
    _replace_key(ports, host.uri, stored.uri, accepted, forget=changes.forget_key)
    return stored


def _identity(host: Host) -> tuple[object, ...]:
    """What a refresh derives the node from; after a change of it, the host is read again."""
    return host.uri, host.uuid, host.correlation


def _replace_key(
    ports: Ports, old_uri: str, new_uri: str, accepted: OfferedKey | None, *, forget: bool
) -> None:
    """Pin the accepted key or move the pinned one; connections of another URI or key are closed."""
    if forget or accepted is not None or new_uri != old_uri:
        ports.hypervisors.forget(old_uri)
    if forget:
        ports.keys.forget(old_uri)
    move_key(ports.keys, old_uri, new_uri, accepted)


def _check_endpoint(ports: Ports, principal: Principal, key: str, uri: str) -> None:
    parse_host_uri(uri, ports.settings.uris)
    with ports.store.begin() as uow:
        check_new_endpoint(uow, ports, uri, HOSTS.get(uow, principal, key).id)


def _pool(host: Host, name: str | Keep) -> str:
    if name is KEEP:
        return host.default_pool
    if name and not any(storage_pool.name == name for storage_pool in host.storage_pools):
        names = ", ".join(storage_pool.name for storage_pool in host.storage_pools) or "none"
        raise InvalidValue(
            "default_pool", name, f"is not a storage pool of host {host.name}", f"choose from: {names}"
        )
    return name


def _with_first_key(keys: HostKeys, changes: HostChanges, uri: str) -> HostChanges:
    """The changes, which accept the first key of the new URI if the user trusts it and named no key."""
    if not changes.trust_first_key or changes.accept_key is not KEEP:
        return changes
    return replace(changes, accept_key=first_key(keys, uri) or KEEP)


def _accepted_key(ports: Ports, principal: Principal, key: str, changes: HostChanges) -> OfferedKey | None:
    """The key that the host shows now, if it is the accepted one; None if no key is to be accepted."""
    if changes.accept_key is KEEP:
        return None
    with ports.store.begin() as uow:
        host = HOSTS.get(uow, principal, key)
    offered = ports.keys.offered(changed(changes.uri, host.uri))
    for offered_key in offered:
        if offered_key.fingerprint == changes.accept_key:
            return offered_key
    raise HostKeyUnknown(host.name, ", ".join(offered_key.fingerprint for offered_key in offered))


def _apply(uow: UnitOfWork, host: Host, changes: HostChanges) -> Host:
    fields = with_exact_ratios(with_group_ids(uow, changed_fields(changes)))
    fields = {name: value for name, value in fields.items() if name not in _NOT_STORED}
    if changes.name is not KEEP:
        check_name(changes.name)
    if changes.node is not KEEP:
        uow.nodes.get(changes.node)
        fields["correlation"] = Correlation(
            CorrelationState.CORRELATED, changes.node, CorrelationEvidence.OPERATOR
        )
    # The operator chose the node, so the machine that answers next counts as that node.
    is_resolved = host.correlation.state is CorrelationState.AMBIGUOUS and changes.uri is not KEEP
    pool = _pool(host, changes.default_pool)
    changed_host = replace(
        host,
        storage_pools=with_default(host.storage_pools, pool),
        uuid="" if is_resolved or changes.node is not KEEP else host.uuid,
        host_key="" if changes.forget_key else changed(changes.accept_key, host.host_key),
    )
    return replace(changed_host, **fields)
