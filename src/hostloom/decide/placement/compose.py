"""Plans one machine from a snapshot and a request."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from heapq import nlargest

from hostloom.decide.fleet.fleet import Fleet, fleet_of
from hostloom.decide.fleet.survey import Survey, survey
from hostloom.decide.placement.addresses import AddressIndex, address_index_of
from hostloom.decide.placement.host_evaluation import HostEvaluation, evaluate_host
from hostloom.decide.placement.make_plan import make_plan
from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request.resolve import ResolvedRequest, resolve_request
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.ids import HostId, natural_key
from hostloom.model.plan import Decision, Explanation, HostGroup
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind
from hostloom.model.request import Identities, ParsedRequest

#: Up to this many hosts are explained in full. With more, all except the chosen one are grouped by code.
FEW = 8
#: If no host fits, this many of the hosts that passed the most checks are explained in full.
FURTHEST = 3
_ORDER = {code: position for position, code in enumerate(RequestCode)}
_NO_REFUSALS: Mapping[HostId, Refusal] = {}


def decide(
    snapshot: Snapshot,
    request: ParsedRequest,
    identities: Identities,
    barred: Mapping[HostId, Refusal] = _NO_REFUSALS,
    few: int = FEW,
) -> Decision:
    """Plan one machine. A refusal is a result and never an exception.

    `barred` hosts are refused with the given refusal, without further checks. Up to `few` hosts are explained
    one by one.
    """
    address_index = address_index_of(snapshot)
    try:
        resolved_request = resolve_request(snapshot, address_index, normal(request))
        states = named(snapshot, resolved_request.request)
    except RefuseRequest as no:
        return Decision(None, Explanation(None, no.refusal))
    if states is None and len(snapshot.hosts) > few:
        return _decide_many(snapshot, address_index, resolved_request, identities, barred)
    evaluations = [
        _try(snapshot, address_index, state, resolved_request, barred) for state in states or snapshot.hosts
    ]
    return _decide_among(snapshot, evaluations, resolved_request, identities)


def _decide_among(
    snapshot: Snapshot, evaluations: list[HostEvaluation], request: ResolvedRequest, identities: Identities
) -> Decision:
    """Plan on the best of the evaluated hosts, and explain every one of them."""
    fitting = sorted(
        (evaluation for evaluation in evaluations if evaluation.refusal is None),
        key=lambda evaluation: evaluation.order(request),
    )
    others = sorted((e for e in evaluations if e not in fitting[:1]), key=_by_name)
    hosts = tuple(evaluation.explain(request) for evaluation in (*fitting[:1], *others))
    if not fitting:
        refusal = evaluations[0].refusal if len(evaluations) == 1 else _no_host(_tally(evaluations))
        return Decision(None, Explanation(None, refusal, hosts))
    plan = make_plan(snapshot, request, fitting[0], identities)
    runner_up = fitting[1] if len(fitting) > 1 else None
    return _chosen(Decision(plan, Explanation(None, hosts=hosts)), fitting[0], runner_up, request)


def prepare(snapshot: Snapshot) -> None:
    """Build the indexes in advance, so that the first decision is not slow."""
    address_index_of(snapshot)
    fleet_of(snapshot)


def normal(request: ParsedRequest) -> ParsedRequest:
    """Replace `amd64/generic`, as MAAS writes it, by `amd64`."""
    architecture = request.architecture
    if architecture is not None:
        architecture = architecture.removesuffix("/generic")
    return replace(request, architecture=architecture)


def named(snapshot: Snapshot, request: ParsedRequest) -> list[HostState] | None:
    """The host that the request names; None if it names none."""
    if request.host is None:
        return None
    host_states = [host for host in snapshot.hosts if host.host.name == request.host]
    if not host_states and request.host.isascii() and request.host.isdigit():
        host_states = [host for host in snapshot.hosts if host.host.id == int(request.host)]
    if not host_states:
        raise refuse(
            "host_exists",
            RequestCode.UNKNOWN_HOST,
            SubjectKind.HOST,
            request.host,
            wanted="a host by name or id",
            found="none is called so",
        )
    return host_states


def _try(
    snapshot: Snapshot,
    address_index: AddressIndex,
    state: HostState,
    resolved_request: ResolvedRequest,
    barred: Mapping[HostId, Refusal],
) -> HostEvaluation:
    if state.host.id in barred:
        return HostEvaluation(state, refusal=barred[state.host.id])
    return evaluate_host(snapshot, address_index, state, resolved_request)


def _by_name(trial: HostEvaluation) -> tuple[object, ...]:
    return (natural_key(trial.state.host.name), trial.state.host.id)


def _decide_many(
    snapshot: Snapshot,
    address_index: AddressIndex,
    resolved_request: ResolvedRequest,
    identities: Identities,
    barred: Mapping[HostId, Refusal],
) -> Decision:
    """Like `decide` for few hosts, but with full reasons for the chosen host only."""
    fleet = fleet_of(snapshot)
    result = survey(
        snapshot, address_index, fleet, resolved_request, {key: no.code for key, no in barred.items()}
    )
    positions = _furthest(result) if result.best is None else [result.best]
    trials = [
        _try(snapshot, address_index, fleet.rows[position].state, resolved_request, barred)
        for position in positions
    ]
    hosts = tuple(trial.explain(resolved_request) for trial in trials)
    others = grouped(fleet, result, frozenset(positions))
    if result.best is None:
        codes = Counter(verdict for verdict in result.verdicts if isinstance(verdict, RequestCode))
        return Decision(None, Explanation(None, _no_host(codes), hosts, others=others))
    plan = make_plan(snapshot, resolved_request, trials[0], identities)
    runner_up = None if result.runner_up is None else fleet.rows[result.runner_up].state
    second = None if runner_up is None else _try(snapshot, address_index, runner_up, resolved_request, barred)
    return _chosen(
        Decision(plan, Explanation(None, hosts=hosts, others=others)), trials[0], second, resolved_request
    )


def _furthest(result: Survey) -> list[int]:
    """The hosts that were refused by the last rules only."""
    order = [_ORDER[verdict] if isinstance(verdict, RequestCode) else -1 for verdict in result.verdicts]
    return nlargest(FURTHEST, range(len(order)), key=lambda position: (order[position], -position))


def grouped(fleet: Fleet, result: Survey, positions: frozenset[int]) -> tuple[HostGroup, ...]:
    """The hosts that are not shown, grouped by code: hosts that fit first, then by size of the group."""
    names: dict[RequestCode | None, list[str]] = {}
    for position, (name, verdict) in enumerate(zip(fleet.names, result.verdicts, strict=True)):
        if position not in positions:
            names.setdefault(verdict if isinstance(verdict, RequestCode) else None, []).append(name)
    groups = [HostGroup(code, len(name), tuple(name)) for code, name in names.items()]
    return tuple(
        sorted(
            groups,
            key=lambda host_group: (host_group.code is not None, -host_group.count, host_group.code or ""),
        )
    )


def _tally(trials: list[HostEvaluation]) -> Counter[RequestCode]:
    return Counter(trial.refusal.code for trial in trials if trial.refusal is not None)


def _no_host(codes: Counter[RequestCode]) -> Refusal:
    """The refusal for several hosts or none; each host has its own reason."""
    counts = sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))
    counted_codes = ", ".join(f"{code} ({count})" for code, count in counts)
    return Refusal(
        "a_host_fits",
        RequestCode.NO_HOST_FITS,
        SubjectKind.REQUEST,
        "host",
        "a host that fits",
        counted_codes or "there are no hosts",
    )


def _chosen(
    decision: Decision, best: HostEvaluation, second: HostEvaluation | None, resolved_request: ResolvedRequest
) -> Decision:
    """The decision with the chosen host, and the criterion by which it won."""
    warnings = decision.plan.warnings if decision.plan is not None else ()
    explanation = replace(decision.explanation, chosen=best.state.host.name, warnings=warnings)
    if second is not None:
        pairs = zip(best.score(resolved_request), second.score(resolved_request), strict=True)
        reason = next(
            (name for (name, own_value), (_, other_value) in pairs if own_value != other_value), "name-order"
        )
        explanation = replace(explanation, host_reason=reason, host_runner_up=second.state.host.name)
    return replace(decision, explanation=explanation)
