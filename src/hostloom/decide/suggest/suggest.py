"""Suggests the smallest sets of changes with which a refused request would fit.

Every suggestion is verified: the changes are applied to the snapshot, and the request is decided there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations, islice, zip_longest

from hostloom.decide.changes.apply import apply
from hostloom.decide.changes.request import apply_to_request
from hostloom.decide.dry_run import simulate
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.compose import named
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.snapshot import Delta, Snapshot
from hostloom.decide.suggest.remedies import RefusedCompose, remedies
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import Host
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange, Suggestion
from hostloom.model.ids import SystemId, natural_key
from hostloom.model.plan import Decision, Explanation, JointDecision
from hostloom.model.reasons import RequestCode
from hostloom.model.request import ParsedBatch, ParsedRequest

#: Limits: number of suggestions, changes per suggestion, evaluated hosts, and decisions in total.
GIVEN, DEEPEST, HOSTS, TRIES = 5, 3, 5, 200
#: hostloom's settings, libvirt's, the host's, an address in use, the request: lower interferes less.
INVASION = {
    ChangeKind.SET_INTERFACE_VLAN: 1,
    ChangeKind.SERVE_VLAN: 1,
    ChangeKind.CHOOSE_NODE: 1,
    ChangeKind.RAISE_CPU_RATIO: 1,
    ChangeKind.RAISE_MEMORY_RATIO: 1,
    ChangeKind.LIBVIRT_DHCP_OFF: 2,
    ChangeKind.START_NETWORK: 2,
    ChangeKind.ENABLE_INTERFACE: 3,
    ChangeKind.ADD_VLAN_INTERFACE: 3,
    ChangeKind.LINK_UP: 4,
    ChangeKind.MOVE_INTERFACE: 4,
    ChangeKind.REACH_HOST: 4,
    ChangeKind.GROW_POOL: 4,
    ChangeKind.FREE_ADDRESS: 5,
    ChangeKind.CHANGE_REQUEST: 6,
}
_FURTHEST = {code: position for position, code in enumerate(RequestCode)}


def suggest(snapshot: Snapshot, request: ParsedRequest, refused: Explanation) -> tuple[Suggestion, ...]:
    """Changes that make the refused request fit, the smallest first; empty if none is known."""
    hosts = _hosts(snapshot, request, refused)
    suggestions: list[Suggestion] = []
    for host in hosts:
        narrowed = request if host is None else replace(request, host=host)
        suggestions += _Trials(_world_of(snapshot, narrowed), narrowed, TRIES // len(hosts)).suggestions(
            host or ""
        )
    suggestions += _elsewhere(snapshot, request)
    distinct = {_gist(suggestion): suggestion for suggestion in sorted(suggestions, key=_order, reverse=True)}
    return tuple(islice(_least(snapshot, request, sorted(distinct.values(), key=_order)), GIVEN))


def _elsewhere(snapshot: Snapshot, request: ParsedRequest) -> Iterator[Suggestion]:
    """Suggest another host than the requested one, if one can take the unchanged request."""
    plan = simulate(snapshot, replace(request, host=None)).plan if request.host is not None else None
    if plan is not None:
        change = HypotheticalChange(ChangeKind.CHANGE_REQUEST, "host", "", plan.host_name, request.host or "")
        yield Suggestion((change,), plan.host_name)


def advised(snapshot: Snapshot, request: ParsedRequest, decision: Decision) -> Decision:
    """The decision, with suggestions if it is a refusal."""
    if decision.plan is not None:
        return decision
    suggestions = suggest(snapshot, request, decision.explanation)
    return replace(decision, explanation=replace(decision.explanation, suggestions=suggestions))


def advised_batch(snapshot: Snapshot, batch: ParsedBatch, decision: JointDecision) -> JointDecision:
    """The decision on a batch, with suggestions if one of its machines does not fit even alone."""
    if decision.plans or decision.refused_at is None:
        return decision
    request = batch.machines[decision.refused_at]
    alone = advised(snapshot, request, simulate(snapshot, request))
    if alone.plan is not None:
        return decision
    explanation = replace(decision.explanations[0], suggestions=alone.explanation.suggestions)
    return replace(decision, explanations=(explanation, *decision.explanations[1:]))


def _gist(suggestion: Suggestion) -> frozenset[HypotheticalChange]:
    """The key of similar suggestions, which differ only in the VLAN or its interface: one is enough."""
    ways = (ChangeKind.ADD_VLAN_INTERFACE, ChangeKind.MOVE_INTERFACE, ChangeKind.SET_INTERFACE_VLAN)
    return frozenset(
        replace(change, subject="", value="") if change.kind in ways else change
        for change in suggestion.changes
    )


def _least(
    snapshot: Snapshot, request: ParsedRequest, suggestions: Iterable[Suggestion]
) -> Iterator[Suggestion]:
    """The sets of changes of which no smaller part makes the request fit on any host."""
    minimal: list[frozenset[HypotheticalChange]] = []
    for suggestion in suggestions:
        changes = frozenset(suggestion.changes)
        if any(other <= changes for other in minimal):
            continue
        everywhere = tuple(change for change in suggestion.changes if not change.host)
        parts = _parts(everywhere, min(len(everywhere), len(changes) - 1)) if request.host is None else ()
        if not any(_fits(snapshot, request, part) for part in parts):
            minimal.append(changes)
            yield suggestion


def _fits(snapshot: Snapshot, request: ParsedRequest, changes: tuple[HypotheticalChange, ...]) -> bool:
    tried = _after(snapshot, request, changes)
    return tried is not None and tried.decision.plan is not None


def _parts(changes: tuple[HypotheticalChange, ...], largest: int) -> Iterator[tuple[HypotheticalChange, ...]]:
    """Subsets of one change up to this size, in the order of the changes."""
    return chain.from_iterable(combinations(changes, size) for size in range(1, largest + 1))


def _world_of(snapshot: Snapshot, request: ParsedRequest) -> Snapshot:
    """The snapshot with only the requested host, so that every trial costs as little as in a small system."""
    try:
        states = named(snapshot, request)
    except RefuseRequest:
        states = None
    if states is None:
        return snapshot
    parts = (
        snapshot.node_by_system_id.get(system_id) for state in states for system_id in _nodes_of(state.host)
    )
    nodes = {node.system_id: node for node in parts if node is not None}
    few = snapshot.only(tuple(states), tuple(nodes.values()))
    few.indexes["addresses"] = address_index_of(snapshot).carried(few, Delta())
    return few


def _nodes_of(host: Host) -> tuple[SystemId, ...]:
    correlation = host.correlation
    return (*correlation.candidates, *((correlation.system_id,) if correlation.system_id is not None else ()))


def _order(suggestion: Suggestion) -> tuple[object, ...]:
    texts = tuple((change.kind, change.subject, change.value) for change in suggestion.changes)
    cost = sum(INVASION[change.kind] for change in suggestion.changes)
    return (len(suggestion.changes), cost, natural_key(suggestion.host), texts)


def _hosts(snapshot: Snapshot, request: ParsedRequest, refused: Explanation) -> Sequence[str | None]:
    """The requested host, or the most promising ones; none for a request that is wrong by itself.

    The emptiest host of every code, those of the last rules first; then the next emptiest of every code.
    """
    if request.host is not None or (not refused.hosts and not refused.others):
        return [None]
    codes = {host.host: host.refusal.code for host in refused.hosts if host.refusal is not None}
    for group in refused.others:
        if group.code is not None:
            codes.update(dict.fromkeys(group.hosts, group.code))
    furthest = _by_code(snapshot, codes)
    rounds = zip_longest(*(names[:HOSTS] for names in furthest))
    return [name for names in rounds for name in names if name is not None][:HOSTS]


def _by_code(snapshot: Snapshot, codes: Mapping[str, RequestCode]) -> list[list[str]]:
    """The refused hosts by their code, the emptiest first; the codes of the last rules first."""
    fleet, alike = fleet_of(snapshot), dict[RequestCode, list[str]]()
    for name in (fleet.names[index] for index in fleet.by_room):
        if name in codes:
            alike.setdefault(codes[name], []).append(name)
    return [alike[code] for code in sorted(alike, key=lambda code: -_FURTHEST[code])]


@dataclass(frozen=True)
class _Tried:
    """The request in the snapshot after some changes."""

    changes: tuple[HypotheticalChange, ...]
    snapshot: Snapshot
    request: ParsedRequest
    decision: Decision


@dataclass
class _Trials:
    """Decisions on one request in changed snapshots, with their number."""

    snapshot: Snapshot
    request: ParsedRequest
    left: int
    _known: dict[frozenset[HypotheticalChange], _Tried | None] = field(default_factory=dict)

    def suggestions(self, host: str) -> Iterator[Suggestion]:
        """The smallest sets of changes that suffice: of one, else of two, else of three changes."""
        start = self._try(())
        reached = [start] if start is not None else []
        for _ in range(DEEPEST):
            reached = [after for tried in reached for after in self._steps(tried)]
            good = [tried for tried in reached if tried.decision.plan is not None]
            least = [tried for tried in good if self._is_least(tried.changes)]
            if least:
                for tried in least:
                    plan = tried.decision.plan
                    yield Suggestion(tried.changes, plan.host_name if plan is not None else host)
                return

    def _steps(self, tried: _Tried) -> Iterator[_Tried]:
        """Add one change, if a remedy for the refusal is known."""
        no = _refused(tried)
        for change in remedies(no) if no is not None else ():
            changes = (*tried.changes, change)
            # A request that is rewritten twice would differ too much.
            if change not in tried.changes and sum(map(_is_of_request, changes)) < 2:
                after = self._try(changes)
                if after is not None:
                    yield after

    def _is_least(self, changes: tuple[HypotheticalChange, ...]) -> bool:
        """Whether no smaller part of the set suffices; untried parts count as sufficient."""
        for part in _parts(changes, len(changes) - 1):
            tried = self._try(part)
            if frozenset(part) not in self._known or (tried is not None and tried.decision.plan is not None):
                return False
        return True

    def _try(self, changes: tuple[HypotheticalChange, ...]) -> _Tried | None:
        """Decide after the changes; None for impossible changes, or at the limit of decisions."""
        key = frozenset(changes)
        if key not in self._known:
            if self.left <= 0:
                return None
            self.left -= 1
            self._known[key] = _after(self.snapshot, self.request, changes)
        return self._known[key]


def _is_of_request(change: HypotheticalChange) -> bool:
    return change.kind is ChangeKind.CHANGE_REQUEST


def _after(
    snapshot: Snapshot, request: ParsedRequest, changes: tuple[HypotheticalChange, ...]
) -> _Tried | None:
    """The decision after the changes; None for impossible changes."""
    try:
        for change in changes:
            snapshot = apply(snapshot, change)
            request = apply_to_request(request, change)
    except InvalidValue:
        return None
    return _Tried(changes, snapshot, request, simulate(snapshot, request))


def _refused(tried: _Tried) -> RefusedCompose | None:
    """The refusal, and its host."""
    refusal = tried.decision.explanation.refusal
    if refusal is None:
        return None
    hosts = tried.decision.explanation.hosts
    explanation = hosts[0] if len(hosts) == 1 else None
    name = explanation.host if explanation is not None else None
    state = next((host for host in tried.snapshot.hosts if host.host.name == name), None)
    return RefusedCompose(tried.snapshot, tried.request, refusal, state, explanation)
