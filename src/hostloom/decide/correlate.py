"""Correlate: which known node is this host? (DESIGN 2.1)"""

import re
from collections.abc import Iterable

from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState
from hostloom.model.ids import MacAddress, SystemId, natural_key
from hostloom.model.network import Address, HeldAddress
from hostloom.model.node import Node

_AUTHORITY = re.compile(r"[a-z0-9+]+://(?P<authority>[^/?#]*)")


def uri_host(uri: str) -> str | None:
    """The host part of a libvirt URI, without user, port and brackets; None for a local one."""
    found = _AUTHORITY.match(uri)
    if found is None:
        return None
    host = found["authority"].rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0] or None
    return host.partition(":")[0] or None


def correlate(
    uri_addresses: tuple[Address, ...],
    macs: tuple[MacAddress, ...],
    nodes: Iterable[Node],
    held: Iterable[HeldAddress],
    local: SystemId | None,
    chosen: SystemId | None,
) -> Correlation:
    """Match by the operator's word, by address (leases included), then by MAC.

    `local` is the node that hostloom runs on, for a host on the same machine.
    """
    known = list(nodes)
    if chosen is not None and any(node.system_id == chosen for node in known):
        return Correlation(CorrelationState.CORRELATED, chosen, CorrelationEvidence.OPERATOR)
    if local is not None:
        return Correlation(CorrelationState.CORRELATED, local, CorrelationEvidence.LOCAL)
    wanted = frozenset(uri_addresses)
    ids = {node.system_id for node in known}
    by_address = {
        node.system_id: str(ip) for node in known for i in node.interfaces for ip in i.ips if ip in wanted
    }
    for each in held:
        if each.ip in wanted and each.system_id in ids and each.system_id is not None:
            by_address.setdefault(SystemId(each.system_id), str(each.ip))
    if by_address:
        return _answer(by_address, CorrelationEvidence.ADDRESS)
    own = frozenset(macs)
    by_mac = {node.system_id: str(i.mac) for node in known for i in node.interfaces if i.mac in own}
    return _answer(by_mac, CorrelationEvidence.MAC)


def _answer(matches: dict[SystemId, str], evidence: CorrelationEvidence) -> Correlation:
    if not matches:
        return Correlation()
    if len(matches) == 1:
        ((system_id, matched),) = matches.items()
        return Correlation(CorrelationState.CORRELATED, system_id, evidence, matched)
    candidates = tuple(sorted(matches, key=natural_key))
    return Correlation(CorrelationState.AMBIGUOUS, None, evidence, min(matches.values()), candidates)
