"""Judges all hosts of a fleet for a request: a code for every host, and the best host, without explanations.

decide/placement/host_evaluation.py judges one host; this module judges all hosts at once, by host class. A
property test checks that the results are equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice

from hostloom.decide.fleet.class_verdicts import Verdict, judge_host_classes
from hostloom.decide.fleet.fleet import Fleet
from hostloom.decide.placement.addresses import AddressIndex
from hostloom.decide.placement.capacity import PoolLayout, allot
from hostloom.decide.placement.host_evaluation import NetworkFit, check_host, evaluate_host, network_fit
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.request.resolve import ResolvedRequest
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import HostId
from hostloom.model.node import Node
from hostloom.model.reasons import RequestCode


@dataclass(frozen=True)
class Survey:
    """The results of all hosts, by index in the fleet."""

    verdicts: list[Verdict]
    #: Indexes of the best and the second-best host.
    best: int | None
    runner_up: int | None = None


def survey(
    snapshot: Snapshot,
    address_index: AddressIndex,
    fleet: Fleet,
    resolved_request: ResolvedRequest,
    barred: Mapping[HostId, RequestCode],
) -> Survey:
    """Judge all hosts of the fleet."""
    classes = judge_host_classes(
        snapshot, address_index, fleet.table, frozenset(fleet.classes), resolved_request
    )
    verdicts = _judge_hosts(fleet, resolved_request, classes)
    for position in _named(snapshot, fleet, resolved_request):
        trial = evaluate_host(snapshot, address_index, fleet.rows[position].state, resolved_request)
        nics = trial.placement.nics if trial.placement else ()
        verdicts[position] = trial.refusal.code if trial.refusal else network_fit(nics)
    for host_id, code in barred.items():
        if (place := fleet.positions.get(host_id)) is not None:
            verdicts[place] = code
    best, runner_up = _best_two(fleet, verdicts)
    return Survey(verdicts, best, runner_up)


def _judge_hosts(
    fleet: Fleet, resolved_request: ResolvedRequest, classes: Mapping[int, Verdict]
) -> list[Verdict]:
    """The first refusal of every host: gate, cores, memory, storage or network, in one pass."""
    gates = _Gates(resolved_request, fleet)
    storage = _Storage(resolved_request)
    cores, memory_mib = resolved_request.request.cores, resolved_request.request.memory_mib
    total = sum(disk.size_bytes for disk in resolved_request.disks)
    verdicts: list[Verdict] = []
    for position, (gate, has_cores, has_memory_mib, layout, left, host_class) in enumerate(fleet.columns):
        if (code := gates.code(gate, position)) is not None:
            verdicts.append(code)
        elif has_cores < cores:
            verdicts.append(RequestCode.NOT_ENOUGH_CORES)
        elif has_memory_mib < memory_mib:
            verdicts.append(RequestCode.NOT_ENOUGH_MEMORY)
        elif (first := storage.first_place(layout)) is not None and left[first] >= total:
            verdicts.append(classes[host_class])
        else:
            verdicts.append(storage.code(layout, left) or classes[host_class])
    return verdicts


class _Gates:
    """Evaluates every gate once."""

    def __init__(self, resolved_request: ResolvedRequest, fleet: Fleet) -> None:
        self._asked, self._fleet = resolved_request, fleet
        self._codes: dict[str, RequestCode | None] = {}

    def code(self, gate: str, position: int) -> RequestCode | None:
        """The refusal of hosts with this gate."""
        if gate not in self._codes:
            try:
                check_host(self._fleet.rows[position].state, self._asked)
                self._codes[gate] = None
            except RefuseRequest as no:
                self._codes[gate] = no.refusal.code
        return self._codes[gate]


class _Storage:
    """Evaluates every layout of pools once; by identity, because hosts with equal pools share a layout."""

    def __init__(self, resolved_request: ResolvedRequest) -> None:
        self._disks, self._qcow2 = resolved_request.disks, resolved_request.request.qcow2
        self._fitting: dict[int, list[tuple[int, ...]]] = {}
        self._first: dict[int, int | None] = {}

    def first_place(self, layout: PoolLayout) -> int | None:
        """The pool for all disks if it has room for all of them; None if the disks prefer different pools."""
        key = id(layout)
        if key not in self._first:
            fitting = self._fitting[key] = [layout.fitting(disk, qcow2=self._qcow2) for disk in self._disks]
            firsts = {places[0] if places else None for places in fitting}
            self._first[key] = firsts.pop() if len(firsts) == 1 else None
        return self._first[key]

    def code(self, layout: PoolLayout, left: tuple[int, ...]) -> RequestCode | None:
        """The refusal if the disks fit in no pools of a host."""
        fitting = self._fitting[id(layout)]
        if not all(fitting) and (lacking := layout.lacking(self._disks, qcow2=self._qcow2)) is not None:
            return lacking[0]
        is_room = len(allot(left, fitting, self._disks)) == len(self._disks)
        return None if is_room else RequestCode.POOL_FULL


def _named(snapshot: Snapshot, fleet: Fleet, resolved_request: ResolvedRequest) -> list[int]:
    """Indexes of hosts that a term names by interface id, address or hostname."""
    values: dict[str, set[str]] = {}
    for requirement in resolved_request.requirements:
        for group in requirement.groups:
            if group.key in ("id", "ip", "hostname"):
                values.setdefault(group.key, set()).update(term.value for term in group.terms)
    if not values:
        return []
    ids = {int(value) for value in values.get("id", ())}
    names = values.get("hostname", set())
    nodes = _nodes_with(snapshot, values.get("ip", set()))

    def is_named(node: Node) -> bool:
        if node.hostname in names or node.system_id in nodes:
            return True
        return bool(ids) and any(interface.id in ids for interface in node.interfaces)

    return [index for index, row in enumerate(fleet.rows) if row.node is not None and is_named(row.node)]


def _nodes_with(snapshot: Snapshot, addresses: set[str]) -> set[str]:
    holders = [holder for text in addresses for holder in snapshot.held_by_ip.get(ip_address(text), ())]
    return {holder.system_id for holder in holders if holder.system_id is not None}


def _best_two(fleet: Fleet, verdicts: list[Verdict]) -> tuple[int | None, int | None]:
    """The two best hosts; among equal fits those with the most room."""
    positions: list[int] = []
    for fit in sorted(verdict for verdict in set(verdicts) if isinstance(verdict, NetworkFit)):
        positions += islice(
            (position for position in fleet.by_room if verdicts[position] == fit), 2 - len(positions)
        )
        if len(positions) == 2:
            return positions[0], positions[1]
    return (positions[0] if positions else None), None
