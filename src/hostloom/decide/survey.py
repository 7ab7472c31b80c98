"""A request held against a whole fleet: for every host a code, and which host is best; explained is later.

What one host is asked by rules in decide/trial.py, all are asked here at once, shape by shape. The answers
are the same, which a property test holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from hostloom.decide.addresses import AddressBook
from hostloom.decide.capacity import allot
from hostloom.decide.fleet import Fleet, Row
from hostloom.decide.gate import check_host
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.requests import Asked
from hostloom.decide.shape_verdicts import Verdict, judge_shapes
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.trial import NetworkFit, network_fit, try_host
from hostloom.model.ids import HostId
from hostloom.model.plan import RequestCode


@dataclass(frozen=True)
class Survey:
    """How every host fared, by position in the fleet."""

    verdicts: list[Verdict]
    #: Position of the best that could take the machine.
    best: int | None


def survey(
    snapshot: Snapshot, book: AddressBook, fleet: Fleet, asked: Asked, barred: Mapping[HostId, RequestCode]
) -> Survey:
    """Judge all hosts of the fleet."""
    shapes = judge_shapes(snapshot, book, fleet.table, frozenset(fleet.shapes), asked)
    judge = _HostJudge(asked)
    verdicts = [
        judge.before_network(row) or shapes[shape]
        for row, shape in zip(fleet.rows, fleet.shapes, strict=True)
    ]
    for at in _named(snapshot, fleet, asked):
        trial = try_host(snapshot, book, fleet.rows[at].state, asked)
        nics = trial.placement.nics if trial.placement else ()
        verdicts[at] = trial.refusal.code if trial.refusal else network_fit(nics)
    for host_id, code in barred.items():
        if (place := fleet.positions.get(host_id)) is not None:
            verdicts[place] = code
    return Survey(verdicts, _best(fleet, verdicts))


class _HostJudge:
    """What is asked of a host before its network: gate, cores, memory, storage."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._cores, self._memory_mib = asked.request.cores, asked.request.memory_mib
        self._gates: dict[str, RequestCode | None] = {}
        #: By identity of the layout: hosts with equal ones share it.
        self._fitting: dict[int, list[tuple[int, ...]]] = {}

    def before_network(self, row: Row) -> RequestCode | None:
        """The code of the first rule that refuses the host."""
        if row.gate not in self._gates:
            self._gates[row.gate] = self._gate(row)
        if (code := self._gates[row.gate]) is not None:
            return code
        if row.cores < self._cores:
            return RequestCode.NOT_ENOUGH_CORES
        if row.memory_mib < self._memory_mib:
            return RequestCode.NOT_ENOUGH_MEMORY
        return self._storage(row)

    def _gate(self, row: Row) -> RequestCode | None:
        try:
            check_host(row.state, self._asked)
        except RefuseRequest as no:
            return no.refusal.code
        return None

    def _storage(self, row: Row) -> RequestCode | None:
        disks = self._asked.disks
        fitting = self._fitting.get(id(row.layout))
        if fitting is None:
            fitting = self._fitting[id(row.layout)] = [row.layout.fitting(disk) for disk in disks]
        found = len(allot(row.bytes_left, fitting, disks))
        if found == len(disks):
            return None
        return RequestCode.POOL_FULL if fitting[found] else RequestCode.UNKNOWN_POOL


def _named(snapshot: Snapshot, fleet: Fleet, asked: Asked) -> list[int]:
    """Positions of hosts that a term names by an interface's id or address, or by hostname."""
    values: dict[str, set[str]] = {}
    for wanted in asked.wanted:
        for group in wanted.groups:
            if group.key in ("id", "ip", "hostname"):
                values.setdefault(group.key, set()).update(term.value for term in group.terms)
    if not values:
        return []
    ids = {int(each) for each in values.get("id", ())}
    names = values.get("hostname", set())
    nodes = _nodes_with(snapshot, values.get("ip", set()))
    return [
        at
        for at, row in enumerate(fleet.rows)
        if row.node is not None
        and (
            row.node.hostname in names
            or row.node.system_id in nodes
            or (ids and any(each.id in ids for each in row.node.interfaces))
        )
    ]


def _nodes_with(snapshot: Snapshot, addresses: set[str]) -> set[str]:
    held = [each for text in addresses for each in snapshot.held_by_ip.get(ip_address(text), ())]
    return {each.system_id for each in held if each.system_id is not None}


def _best(fleet: Fleet, verdicts: list[Verdict]) -> int | None:
    """The best fit; of those the host with the most room."""
    fits = {each for each in set(verdicts) if isinstance(each, NetworkFit)}
    if not fits:
        return None
    best = min(fits)
    return next(at for at in fleet.by_room if verdicts[at] == best)
