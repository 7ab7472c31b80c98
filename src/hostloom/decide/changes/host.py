"""Changes of a host: reachability, node, over-commit, storage pools and libvirt networks."""

from dataclasses import replace
from decimal import Decimal

from hostloom.decide.changes.request import positive
from hostloom.decide.changes.target import find_host, find_network, find_pool, with_host
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import MacvlanMode
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import (
    MAX_OVER_COMMIT,
    Correlation,
    CorrelationEvidence,
    CorrelationState,
    LibvirtNetwork,
)
from hostloom.model.hypothetical import HypotheticalChange
from hostloom.model.ids import SystemId

#: The reason why a host that a what-if removes does not answer.
LOST = "it is lost"


def lose_host(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """The host does not answer; its machines stay recorded, as after any failure of a host."""
    state = find_host(snapshot, change)
    return with_host(snapshot, state, replace(state.host, reachable=False, unreachable_cause=LOST))


def reach_host(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """The host answers."""
    state = find_host(snapshot, change)
    return with_host(snapshot, state, replace(state.host, reachable=True, unreachable_cause=""))


def choose_node(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """The operator sets the host's node."""
    state = find_host(snapshot, change)
    system_id = SystemId(change.value)
    if system_id not in snapshot.node_by_system_id:
        raise InvalidValue("value", change.value, "is not the system id of a known node")
    correlation = Correlation(CorrelationState.CORRELATED, system_id, CorrelationEvidence.OPERATOR)
    return with_host(snapshot, state, replace(state.host, correlation=correlation))


def raise_cpu_ratio(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Change the over-commit ratio of cores."""
    state = find_host(snapshot, change)
    return with_host(snapshot, state, replace(state.host, cpu_over_commit_ratio=_ratio(change)))


def raise_memory_ratio(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Change the over-commit ratio of memory."""
    state = find_host(snapshot, change)
    return with_host(snapshot, state, replace(state.host, memory_over_commit_ratio=_ratio(change)))


def grow_pool(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Enlarge the pool by this number of free bytes."""
    state = find_host(snapshot, change)
    pool = find_pool(state.host, change.subject)
    more = int(positive("value", change.value))
    larger = replace(pool, total_bytes=pool.total_bytes + more, free_bytes=pool.free_bytes + more)
    pools = tuple(
        larger if storage_pool is pool else storage_pool for storage_pool in state.host.storage_pools
    )
    return with_host(snapshot, state, replace(state.host, storage_pools=pools))


def set_macvlan_mode(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Set the default macvlan mode; without a value, remove it."""
    state = find_host(snapshot, change)
    modes = [macvlan_mode.value for macvlan_mode in MacvlanMode]
    if change.value and change.value not in modes:
        raise InvalidValue(
            "value",
            change.value,
            "is not a macvlan mode",
            f"choose one of {', '.join(modes)}, or leave it empty",
        )
    mode = MacvlanMode(change.value) if change.value else None
    return with_host(snapshot, state, replace(state.host, default_macvlan_mode=mode))


def libvirt_dhcp_off(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Turn libvirt's own DHCP off on the network."""
    network = find_network(find_host(snapshot, change).host, change.subject)
    return _with_network(snapshot, change, network, replace(network, dhcp=False))


def start_network(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Start the network."""
    network = find_network(find_host(snapshot, change).host, change.subject)
    return _with_network(snapshot, change, network, replace(network, active=True))


def _with_network(
    snapshot: Snapshot, change: HypotheticalChange, before: LibvirtNetwork, after: LibvirtNetwork
) -> Snapshot:
    state = find_host(snapshot, change)
    networks = tuple(after if candidate is before else candidate for candidate in state.host.libvirt_networks)
    return with_host(snapshot, state, replace(state.host, libvirt_networks=networks))


def _ratio(change: HypotheticalChange) -> Decimal:
    ratio = positive("value", change.value)
    if ratio > MAX_OVER_COMMIT:
        raise InvalidValue("value", change.value, "is out of range", f"use a ratio up to {MAX_OVER_COMMIT}")
    return ratio
