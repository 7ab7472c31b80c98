"""Records a reading of a host: facts, machines, and the node with its network. Never deletes anything."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hostloom.decide.hosts.correlation import HostEvidence, correlate, first_of
from hostloom.decide.hosts.drift import drift, host_drift, match_interfaces, memory_after
from hostloom.decide.hosts.inventory import Inventory, private_bridges, tags_by_bridge, take_inventory
from hostloom.model.drift import Drift
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.errors.stale import ReadMeanwhile
from hostloom.model.event import Event, EventSubject, host_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import (
    Correlation,
    CorrelationEvidence,
    CorrelationState,
    Host,
    with_default,
    with_tags,
)
from hostloom.model.ids import FabricId, SubnetId, VlanId
from hostloom.model.network import Vlan
from hostloom.model.node import Node, NodeInterface, NodeKind, VlanSource
from hostloom.model.observed import ObservedNetwork
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.context import IdSource, Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.hostnames import free_hostname
from hostloom.recording.machines import MachineRecorder
from hostloom.recording.observation import (
    Observation,
    findings_of,
    networks_after,
    pools_after,
    record_drift,
    tell_findings,
)

log = logging.getLogger(__name__)


def record_new_host(
    uow: UnitOfWork, ports: Ports, host: Host, observation: Observation, *, adopt: bool = False
) -> Host:
    """Write the first reading of a host that was just added; `adopt` makes a node if none matches.

    AlreadyExists for a host that is already managed under another URI.
    """
    uow.lock_world()
    correlation, first = _identify(uow, ports.settings, host, observation)
    if first is not None:
        raise AlreadyExists("URI", host.uri, f"belongs to host {first.name!r}")
    if correlation.state is CorrelationState.UNKNOWN and adopt and observation.network is not None:
        correlation = _adopt(uow, ports.ids, host, observation.network)
    return _record(uow, ports, host, observation, correlation)


def record_observation(uow: UnitOfWork, ports: Ports, host: Host, observation: Observation) -> Host:
    """Write a reading of a recorded host; an outdated reading changes nothing.

    StaleGeneration if a parallel transaction has changed the host or recorded another reading.
    """
    if _is_outdated(host, observation):
        log.info("host %s: a reading is dropped, one that began after it is recorded already", host.name)
        return host
    correlation, first = _identify(uow, ports.settings, host, observation)
    if first is not None and first.id < host.id:
        candidates = () if first.correlation.system_id is None else (first.correlation.system_id,)
        matched = f"host {first.name}"
        correlation = Correlation(
            CorrelationState.AMBIGUOUS, None, CorrelationEvidence.UUID, matched, candidates
        )
        return _set_apart(uow, ports, host, observation, correlation)
    is_other = bool(observation.host.uuid) and host.uuid not in ("", observation.host.uuid)
    was_certain = host.correlation.state is CorrelationState.CORRELATED
    if correlation.state is CorrelationState.AMBIGUOUS and (is_other or was_certain):
        return _set_apart(uow, ports, host, observation, correlation)
    return _record(uow, ports, host, observation, correlation)


def _is_outdated(host: Host, observation: Observation) -> bool:
    """Whether a reading that began later has already been recorded."""
    return observation.start is not None and observation.start.revision < host.read_revision


def _identify(
    uow: UnitOfWork, settings: ServiceSettings, host: Host, observation: Observation
) -> tuple[Correlation, Host | None]:
    """The host's node, and the same host under another URI, if it is already managed."""
    snapshot = uow.snapshot()
    others = [state.host for state in snapshot.hosts if state.host.id != host.id]
    links = observation.network.links if observation.network is not None else ()
    evidence = HostEvidence(observation.addresses, links, observation.host.uuid, host)
    local = settings.local if host.uri == "qemu:///system" else None
    by_operator = host.correlation.evidence is CorrelationEvidence.OPERATOR
    chosen = host.correlation.system_id if by_operator else None
    correlation = correlate(evidence, snapshot.nodes, snapshot.held, others, local, chosen)
    if correlation.state is CorrelationState.UNKNOWN and observation.network is None and observation.findings:
        # Unreadable links are not evidence against the record.
        correlation = host.correlation
    return correlation, first_of(correlation, evidence, others, snapshot.node_by_system_id)


def _record(
    uow: UnitOfWork, ports: Ports, host: Host, observation: Observation, correlation: Correlation
) -> Host:
    _tell_identity(uow, ports, host, observation, correlation)
    node = None if correlation.system_id is None else uow.nodes.get(correlation.system_id)
    if node is not None and observation.network is not None:
        fresh = replace(host, libvirt_networks=observation.host.libvirt_networks)
        bridges, vids = private_bridges(fresh), tags_by_bridge(fresh)
        node = record_network(uow, ports, node, observation.network, host_subject(host), bridges, vids)
    facts = _facts(host, observation, correlation)
    tell_findings(uow, ports, host, facts.findings)
    if host.facts_at is not None:
        pools, networks = facts.storage_pools, facts.libvirt_networks
        changes = host_drift(host, replace(observation.host, storage_pools=pools, libvirt_networks=networks))
        record_drift(uow, ports, host_subject(host), (), changes)
    if _is_outdated(uow.hosts.get(host.id), observation):
        raise ReadMeanwhile(host.name)
    recorded = uow.hosts.record_facts(host, facts)
    _tell_back(uow, ports, host)
    MachineRecorder(uow, ports, recorded, node, observation).record()
    return recorded


def _facts(host: Host, observation: Observation, correlation: Correlation) -> Host:
    """The host with the results of a reading; unreadable parts keep their values."""
    return replace(
        host,
        correlation=correlation,
        cores=observation.host.cores,
        memory_mib=memory_after(host.memory_mib, observation.host.memory_mib),
        huge_pages_mib=observation.host.huge_pages_mib,
        emulations=observation.host.emulations or host.emulations,
        storage_pools=with_tags(
            with_default(pools_after(host, observation), host.default_pool), host.pool_tags
        ),
        libvirt_networks=networks_after(host, observation),
        reachable=True,
        unreachable_cause="",
        facts_at=observation.at,
        findings=findings_of(observation),
        uuid=observation.host.uuid or host.uuid,
        read_revision=host.read_revision if observation.start is None else observation.start.revision,
    )


def _set_apart(
    uow: UnitOfWork, ports: Ports, host: Host, observation: Observation, correlation: Correlation
) -> Host:
    """Write only that it is uncertain whether this is the recorded host."""
    _tell_identity(uow, ports, host, observation, correlation)
    _tell_back(uow, ports, host)
    changed = replace(
        host, correlation=correlation, reachable=True, unreachable_cause="", facts_at=observation.at
    )
    return uow.hosts.record_facts(host, changed)


def _adopt(uow: UnitOfWork, ids: IdSource, host: Host, network: ObservedNetwork) -> Correlation:
    """Create a node for the host from its own interfaces.

    See docs/explanation/rules.md#which-node-a-host-is.
    """
    hostname = free_hostname(uow, network.hostname or host.name)
    node: Node = uow.nodes.add(Node(ids.system_id(), hostname, NodeKind.MACHINE))
    return Correlation(
        CorrelationState.CORRELATED, node.system_id, CorrelationEvidence.ADOPTED, "its own interfaces"
    )


def _match_text(before: Correlation, now: Correlation) -> str:
    """The text of an event about the host's node, the evidence, and the previous node."""
    text = f"is {_state_text(now)}, was {_state_text(before)}"
    if now.evidence is not None:
        text = f"{text}; evidence: {now.evidence} ({now.matched})"
    if now.candidates:
        text = f"{text}; candidates: {', '.join(now.candidates)}"
    return text


def _state_text(correlation: Correlation) -> str:
    return (
        f"{correlation.state} with node {correlation.system_id}"
        if correlation.system_id
        else correlation.state
    )


def _tell_identity(
    uow: UnitOfWork, ports: Ports, host: Host, observation: Observation, correlation: Correlation
) -> None:
    """Record events for a new or lost correlation, and for a changed or shared UUID."""
    subject, now = host_subject(host), ports.clock.now()
    before = host.correlation
    if (before.state, before.system_id) != (correlation.state, correlation.system_id):
        kind = _match_kind(before, correlation)
        uow.events.add(Event(kind, subject, _match_text(before, correlation), now))
    if not observation.host.uuid or observation.host.uuid == host.uuid or correlation.system_id is None:
        return
    if host.uuid:
        text = f"its UUID was {host.uuid} and is {observation.host.uuid}; its network interfaces are the same"
        uow.events.add(Event(EventKind.HOST_UUID_CHANGED, subject, text, now))
    hosts = [state.host for state in uow.snapshot().hosts]
    if twins := [other.name for other in hosts if _shares_uuid(host, other, observation)]:
        names = ", ".join(twins)
        text = f"UUID {observation.host.uuid} is also that of {names}, which has other network interfaces"
        uow.events.add(Event(EventKind.HOST_UUID_SHARED, subject, text, now))


def _match_kind(before: Correlation, now: Correlation) -> EventKind:
    if now.system_id is not None:
        return EventKind.HOST_MATCH_GAINED
    if before.system_id is not None:
        return EventKind.HOST_MATCH_LOST
    is_ambiguous = now.state is CorrelationState.AMBIGUOUS
    return EventKind.HOST_MATCH_AMBIGUOUS if is_ambiguous else EventKind.HOST_MATCH_UNKNOWN


def _shares_uuid(host: Host, other: Host, observation: Observation) -> bool:
    return other.id != host.id and other.uuid == observation.host.uuid


def _tell_back(uow: UnitOfWork, ports: Ports, before: Host) -> None:
    if before.facts_at is not None and not before.reachable:
        subject, now = host_subject(before), ports.clock.now()
        uow.events.add(Event(EventKind.HOST_BACK, subject, "it answers again", now))


def record_network(
    uow: UnitOfWork,
    ports: Ports,
    node: Node,
    observed_network: ObservedNetwork,
    subject: EventSubject,
    bridges: frozenset[str] = frozenset(),
    network_vids: Mapping[str, frozenset[int]] | None = None,
) -> Node:
    """Write a node's interfaces, and create new fabrics, VLANs and subnets."""
    if node.scanned_at is not None:
        record_drift(uow, ports, subject, (), _told(node.interfaces, drift(node, observed_network)))
    read_interfaces = [nic for nic in node.interfaces if nic.name not in observed_network.unread]
    absent = uow.nodes.absent(node.system_id)
    matched = match_interfaces(read_interfaces, absent, observed_network.links)
    matching = replace(node, interfaces=matched)
    inventory = take_inventory(observed_network, matching, uow.snapshot(), bridges, network_vids)
    vlans = _create_network(uow, inventory)
    interfaces = [
        replace(nic, vlan_id=vlans.get(nic.vlan_id, nic.vlan_id)) if nic.vlan_id is not None else nic
        for nic in inventory.interfaces
    ]
    interfaces += [nic for nic in node.interfaces if nic.name in observed_network.unread]
    return uow.nodes.replace_interfaces(node.system_id, interfaces, ports.clock.now())


def _told(recorded: Sequence[NodeInterface], changes: Sequence[Drift]) -> Sequence[Drift]:
    """The changes for events; for a vanished interface, with the settings that are kept."""
    kept = {nic.name for nic in recorded if nic.vlan_source is VlanSource.OPERATOR}
    return [
        replace(change, observed="gone (the VLAN that was set for it is kept until it is back)")
        if change.kind == "interface-vanished" and change.subject in kept
        else change
        for change in changes
    ]


def _create_network(uow: UnitOfWork, inventory: Inventory) -> Mapping[VlanId, VlanId]:
    """Create new networks; returns a map from the inventory's negative placeholder ids to real VLANs."""
    fabrics: dict[FabricId, FabricId] = {}
    vlans: dict[VlanId, VlanId] = {}
    for fabric in inventory.new_fabrics:
        fabrics[fabric.id] = uow.fabrics.add(replace(fabric, id=FabricId(0))).id
    for vlan in inventory.new_vlans:
        fabric_id = fabrics.get(vlan.fabric_id, vlan.fabric_id)
        vlans[vlan.id] = _ensure_vlan(uow, replace(vlan, id=VlanId(0), fabric_id=fabric_id)).id
    for subnet in inventory.new_subnets:
        uow.subnets.add(replace(subnet, id=SubnetId(0), vlan_id=vlans.get(subnet.vlan_id, subnet.vlan_id)))
    return vlans


def _ensure_vlan(uow: UnitOfWork, vlan: Vlan) -> Vlan:
    """The VLAN, created if necessary. A new fabric has an untagged VLAN, which gets the observed MTU."""
    existing = uow.vlans.find_by_vid(vlan.fabric_id, vlan.vid)
    if existing is None:
        return uow.vlans.add(vlan)
    return existing if existing.mtu == vlan.mtu else uow.vlans.update(replace(existing, mtu=vlan.mtu))
