"""Correlates a host with a known node by its UUID, addresses and MACs together.

See docs/explanation/rules.md#which-node-a-host-is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from hostloom.decide.hosts.host_identity import Likeness, NicMacs, compare, nic_macs
from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState, Host
from hostloom.model.ids import SystemId, natural_key
from hostloom.model.network import Address, HeldAddress
from hostloom.model.node import Node
from hostloom.model.observed import ObservedLink

_AUTHORITY = re.compile(r"[a-z0-9+]+://(?P<authority>[^/?#]*)")
_SAME = frozenset({Likeness.SAME, Likeness.SAME_LOCAL})


def uri_host(uri: str) -> str | None:
    """The host part of a libvirt URI, without user, port and brackets; None for a local one."""
    match = _AUTHORITY.match(uri)
    if match is None:
        return None
    host = match["authority"].rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0] or None
    return host.partition(":")[0] or None


@dataclass(frozen=True)
class HostEvidence:
    """The evidence of the present and the previous reading about the identity of a host."""

    #: Addresses of the host name in the URI.
    addresses: tuple[Address, ...] = ()
    links: tuple[ObservedLink, ...] = ()
    #: libvirt's UUID of the host; empty: none, or one that does not identify it.
    uuid: str = ""
    #: The recorded host; None for a new one.
    before: Host | None = None

    @property
    def known_as(self) -> SystemId | None:
        """The host's previous node."""
        return None if self.before is None else self.before.correlation.system_id

    @property
    def is_same_uuid(self) -> bool:
        """Both readings have a UUID, and it is the same."""
        return bool(self.uuid) and self.before is not None and self.before.uuid == self.uuid

    @property
    def is_other_uuid(self) -> bool:
        """Both readings have a UUID, and they differ, so another machine may answer now."""
        return bool(self.uuid) and self.before is not None and self.before.uuid not in ("", self.uuid)


@dataclass(frozen=True)
class _Clues:
    """The evidence for the nodes."""

    #: The matching address of every node.
    by_address: Mapping[SystemId, str] = field(default_factory=dict)
    likeness: Mapping[SystemId, Likeness] = field(default_factory=dict)
    #: A common MAC of every node and the host.
    macs: Mapping[SystemId, str] = field(default_factory=dict)

    def of(self, *kinds: Likeness) -> set[SystemId]:
        """The nodes with this result of the comparison of NICs."""
        return {key for key, likeness in self.likeness.items() if likeness in kinds}


def correlate(
    evidence: HostEvidence,
    nodes: Iterable[Node],
    addresses: Iterable[HeldAddress],
    others: Iterable[Host] = (),
    local: SystemId | None = None,
    chosen: SystemId | None = None,
) -> Correlation:
    """Match by the operator's choice, else by UUID, addresses (including leases) and MACs together.

    `local` is the node that hostloom runs on, for a host on the same machine. The host is ambiguous
    if its node already belongs to one of the `others` with a different UUID.
    """
    node_by_id = {node.system_id: node for node in nodes}
    if chosen in node_by_id:
        return Correlation(CorrelationState.CORRELATED, chosen, CorrelationEvidence.OPERATOR)
    if local is not None:
        return Correlation(CorrelationState.CORRELATED, local, CorrelationEvidence.LOCAL)
    others = list(others)
    clues = _clues(evidence, node_by_id, addresses)
    correlation = _by_history(evidence, clues, node_by_id) or _by_clues(evidence, clues, node_by_id, others)
    if evidence.is_other_uuid and clues.likeness.get(correlation.system_id or SystemId("")) not in _SAME:
        return _ambiguous(
            {*correlation.candidates, correlation.system_id, evidence.known_as}, f"UUID {evidence.uuid}"
        )
    return _unless_taken(correlation, evidence, others)


def _clues(
    evidence: HostEvidence, node_by_id: Mapping[SystemId, Node], addresses: Iterable[HeldAddress]
) -> _Clues:
    by_address = _by_known_address(evidence, node_by_id, addresses)
    host_macs = nic_macs(evidence.links)
    likeness, macs = {}, {}
    for node in node_by_id.values():
        is_candidate = node.system_id in by_address or node.system_id == evidence.known_as
        if not is_candidate and not any(nic.mac in host_macs.physical for nic in node.interfaces):
            continue  # most nodes of a large system have no evidence
        node_macs = nic_macs(node.interfaces)
        likeness[node.system_id] = compare(host_macs, node_macs)
        if shared := host_macs.physical & node_macs.physical:
            macs[node.system_id] = str(min(shared & host_macs.permanent or shared))
    return _Clues(by_address, likeness, macs)


def _by_known_address(
    evidence: HostEvidence, node_by_id: Mapping[SystemId, Node], held_addresses: Iterable[HeldAddress]
) -> dict[SystemId, str]:
    """The nodes that have or hold an address of the host, with that address."""
    addresses = frozenset(address for address in evidence.addresses if _identifies(address))
    by_address: dict[SystemId, str] = {}
    for node in node_by_id.values():
        for nic in node.interfaces:
            by_address.update((node.system_id, str(ip)) for ip in nic.ips if ip in addresses)
    for address in held_addresses:
        key = SystemId(address.system_id or "")
        if address.ip in addresses and key in node_by_id:
            by_address.setdefault(key, str(address.ip))
    return by_address


def _identifies(address: Address) -> bool:
    """Whether an address identifies a machine; loopback and link-local addresses do not."""
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def _by_history(
    evidence: HostEvidence, clues: _Clues, node_by_id: Mapping[SystemId, Node]
) -> Correlation | None:
    """The result of comparing with the last reading; None if it is inconclusive."""
    node = evidence.known_as
    if node is None or node not in node_by_id:
        return None
    others = ({*clues.by_address} | clues.of(Likeness.SAME)) - {node}
    has_nics = clues.likeness[node] in _SAME
    if not evidence.is_same_uuid:
        return None
    if others and not has_nics:
        return None if node in clues.by_address else _ambiguous({node, *others}, f"UUID {evidence.uuid}")
    return _matched(node, clues, CorrelationEvidence.UUID, evidence.uuid)


def _by_clues(
    evidence: HostEvidence, clues: _Clues, node_by_id: Mapping[SystemId, Node], others: Iterable[Host]
) -> Correlation:
    same = clues.of(Likeness.SAME)
    if clues.by_address:
        return _by_address(evidence, clues)
    if len(same) == 1:
        return _matched(min(same), clues)
    if same or (same := clues.of(Likeness.PARTLY)):
        return _ambiguous(same, min(clues.macs[key] for key in same))
    return _by_local_macs(evidence, clues, node_by_id, others)


def _by_local_macs(
    evidence: HostEvidence, clues: _Clues, node_by_id: Mapping[SystemId, Node], others: Iterable[Host]
) -> Correlation:
    """The result by locally administered MACs: evidence only for a single node without contradiction."""
    local = clues.of(Likeness.SAME_LOCAL)
    if not local:
        return Correlation()
    other_system_ids = {host.correlation.system_id for host in others}
    doubtful = other_system_ids | {key for key in local if _has_other_addresses(node_by_id[key], evidence)}
    if len(local) == 1 and not local & doubtful:
        return _matched(min(local), clues)
    return _ambiguous(local, min(clues.macs[key] for key in local))


def _by_address(evidence: HostEvidence, clues: _Clues) -> Correlation:
    """The node that has the address, unless the NICs contradict it."""
    nodes = {*clues.by_address}
    pointed = clues.of(*_SAME, Likeness.PARTLY)
    if len(nodes) > 1 and len(nodes & clues.of(*_SAME)) == 1:
        nodes &= clues.of(*_SAME)
    if len(nodes) > 1 or (pointed and not nodes & pointed):
        return _ambiguous(nodes | pointed, min(clues.by_address.values()))
    (node,) = nodes
    if clues.likeness[node] is Likeness.OTHER and evidence.known_as != node and _has_own_nics(evidence):
        return _ambiguous(nodes, clues.by_address[node])
    return _matched(node, clues)


def _has_own_nics(evidence: HostEvidence) -> bool:
    return bool(nic_macs(evidence.links).permanent)


def _has_other_addresses(node: Node, evidence: HostEvidence) -> bool:
    """Whether the node has addresses, none of which the host has."""
    recorded = {ip for nic in node.interfaces for ip in nic.ips if _identifies(ip)}
    addresses = {address.ip for link in evidence.links for address in link.addresses}
    return bool(recorded) and not recorded & addresses


def _matched(
    node: SystemId,
    clues: _Clues,
    otherwise: CorrelationEvidence = CorrelationEvidence.NONE,
    matched: str = "",
) -> Correlation:
    """Correlated, with the strongest evidence."""
    if node in clues.by_address:
        otherwise, matched = CorrelationEvidence.ADDRESS, clues.by_address[node]
    elif clues.likeness[node] in _SAME:
        otherwise, matched = CorrelationEvidence.MAC, clues.macs[node]
    return Correlation(CorrelationState.CORRELATED, node, otherwise, matched)


def _ambiguous(nodes: Iterable[SystemId | None], matched: str) -> Correlation:
    """Several nodes, or one that other evidence contradicts; `matched` is the evidence for the first one."""
    candidates = tuple(sorted({key for key in nodes if key is not None}, key=natural_key))
    is_mac, is_uuid = ":" in matched and len(matched) == 17, matched.startswith("UUID")
    kind = CorrelationEvidence.MAC if is_mac else CorrelationEvidence.ADDRESS
    return Correlation(
        CorrelationState.AMBIGUOUS, None, CorrelationEvidence.UUID if is_uuid else kind, matched, candidates
    )


def _unless_taken(correlation: Correlation, evidence: HostEvidence, others: Iterable[Host]) -> Correlation:
    """The match, unless the node already belongs to another host with a different UUID."""
    for host in others:
        if correlation.system_id is None or host.correlation.system_id != correlation.system_id:
            continue
        if evidence.uuid and host.uuid and evidence.uuid != host.uuid:
            candidates = (correlation.system_id,)
            return replace(
                correlation, state=CorrelationState.AMBIGUOUS, system_id=None, candidates=candidates
            )
    return correlation


def first_of(
    correlation: Correlation, evidence: HostEvidence, others: Iterable[Host], nodes: Mapping[SystemId, Node]
) -> Host | None:
    """The same host under another URI among `others`, the first one by id."""
    macs = nic_macs(evidence.links)
    for host in sorted(others, key=lambda candidate: candidate.id):
        if _is_same_machine(host, evidence, macs, nodes):
            return host
        is_other = bool(evidence.uuid and host.uuid)
        is_one_node = (
            correlation.system_id is not None and host.correlation.system_id == correlation.system_id
        )
        if is_one_node and not is_other:
            return host
    return None


def _is_same_machine(
    host: Host, evidence: HostEvidence, macs: NicMacs, nodes: Mapping[SystemId, Node]
) -> bool:
    """Whether the UUIDs are equal and the NICs do not show that two machines have this UUID."""
    if not evidence.uuid or host.uuid != evidence.uuid:
        return False
    node = nodes.get(host.correlation.system_id) if host.correlation.system_id else None
    likeness = Likeness.UNKNOWN if node is None else compare(macs, nic_macs(node.interfaces))
    return likeness not in (Likeness.OTHER, Likeness.WEAK)
