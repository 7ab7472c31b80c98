"""Compose: a snapshot and a request in, a plan and its explanation out; the rules in their order."""

from dataclasses import dataclass, replace

from hostloom.decide import constraints
from hostloom.decide.addresses import AddressBook, address_book
from hostloom.decide.candidates import HostView
from hostloom.decide.capacity import check_room, choose_pools
from hostloom.decide.place import Placement, place_nics
from hostloom.decide.planning import make_plan
from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.requests import Asked, read_request
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.errors import ConstraintError
from hostloom.model.host import CorrelationState, Emulation, cores_left, memory_left_mib
from hostloom.model.ids import natural_key
from hostloom.model.plan import (
    Decision,
    Explanation,
    HostExplanation,
    Refusal,
    RequestCode,
    SubjectKind,
)
from hostloom.model.request import ComposeRequest, Identities


@dataclass(frozen=True)
class Outcome:
    """How one host fared: everything for a plan, or a refusal."""

    state: HostState
    placement: Placement | None = None
    emulation: Emulation | None = None
    pools: tuple[str, ...] = ()
    refusal: Refusal | None = None


def decide(snapshot: Snapshot, request: ComposeRequest, identities: Identities) -> Decision:
    """Plan one machine. A refusal is an answer, never an exception, whatever the request says."""
    book = address_book(snapshot)
    try:
        asked = read_request(snapshot, book, _normal(request))
        states = _candidates(snapshot, asked.request)
    except RefuseRequest as no:
        return Decision(None, Explanation(None, no.refusal))
    outcomes = [_try_host(snapshot, book, state, asked) for state in states]
    good = sorted((each for each in outcomes if each.refusal is None), key=lambda o: _order(o, asked))
    if not good:
        return Decision(None, _refused(outcomes))
    best = good[0]
    hosts = tuple(_explain(each, asked) for each in (best, *(o for o in outcomes if o is not best)))
    plan = make_plan(snapshot, asked, best.state, best.placement, best.emulation, best.pools, identities)
    return Decision(plan, Explanation(best.state.host.name, None, hosts, plan.warnings))


def labels_needed(request: ComposeRequest) -> int:
    """How many MACs to draw for a request; at least one, whatever its text says."""
    try:
        return max(len(constraints.parse(request.interfaces)), 1)
    except ConstraintError:
        return 1


def _normal(request: ComposeRequest) -> ComposeRequest:
    """`amd64/generic` is MAAS's way to write `amd64`."""
    architecture = request.architecture
    if architecture is not None:
        architecture = architecture.removesuffix("/generic")
    return replace(request, architecture=architecture)


def _candidates(snapshot: Snapshot, request: ComposeRequest) -> list[HostState]:
    """The named host, or all of them by natural name."""
    if request.host is None:
        return sorted(snapshot.hosts, key=lambda s: (natural_key(s.host.name), s.host.id))
    found = [each for each in snapshot.hosts if each.host.name == request.host]
    if not found and request.host.isascii() and request.host.isdigit():
        found = [each for each in snapshot.hosts if each.host.id == int(request.host)]
    if not found:
        raise refuse("host_exists", RequestCode.UNKNOWN_HOST, SubjectKind.HOST, request.host, found="none")
    return found


def _try_host(snapshot: Snapshot, book: AddressBook, state: HostState, asked: Asked) -> Outcome:
    try:
        emulation = _check_host(state, asked)
        check_room(state, asked.request)
        pools = choose_pools(state, asked.disks)
    except RefuseRequest as no:
        return Outcome(state, refusal=no.refusal)
    node = snapshot.node_of(state.host)
    view = HostView(snapshot, state, node.hostname if node else "", node.interfaces if node else ())
    placement = place_nics(view, book, asked)
    return Outcome(state, placement, emulation, pools, placement.refusal)


def _check_host(state: HostState, asked: Asked) -> Emulation:
    """Reachable, of the right architecture, not ambiguous, and known if there are constraints."""
    host = state.host
    if not host.reachable:
        found = host.unreachable_cause or "it did not answer"
        raise _no(RequestCode.HOST_UNREACHABLE, "host_is_reachable", state, "a host that answers", found)
    wanted = asked.request.architecture
    emulation = next((e for e in host.emulations if wanted in (None, e.architecture)), None)
    if emulation is None:
        found = ", ".join(host.architectures) or "none"
        code = RequestCode.UNSUPPORTED_ARCHITECTURE
        raise _no(code, "architecture_is_supported", state, wanted or "any architecture", found)
    if host.correlation.state is CorrelationState.AMBIGUOUS:
        found = ", ".join(host.correlation.candidates) or "several nodes"
        raise _no(RequestCode.HOST_AMBIGUOUS, "host_is_one_node", state, "one node that it is", found)
    if asked.wanted and host.correlation.state is not CorrelationState.CORRELATED:
        wanted_node = "a host whose address is known on a node"
        raise _no(RequestCode.HOST_NOT_KNOWN, "host_is_known", state, wanted_node, f"no node has {host.uri}")
    return emulation


def _no(code: RequestCode, rule: str, state: HostState, wanted: str, found: str) -> RefuseRequest:
    return refuse(rule, code, SubjectKind.HOST, state.host.name, wanted=wanted, found=found)


def _score(outcome: Outcome, asked: Asked) -> tuple[tuple[str, float], ...]:
    """Best first, the lower the better (DESIGN 2.7)."""
    nics = outcome.placement.nics if outcome.placement else ()
    known_boot = any(nic.boot and nic.chosen.candidate.bootable for nic in nics)
    macvtaps = sum(nic.chosen.candidate.kind is AttachKind.MACVLAN for nic in nics)
    host, machines = outcome.state.host, outcome.state.machines
    return (
        ("boot-on-bootable-vlan", 0 if known_boot else 1),
        ("macvtap-nics", macvtaps),
        ("memory-left-mib", -(memory_left_mib(host, machines) - asked.request.memory_mib)),
        ("cores-left", -(cores_left(host, machines) - asked.request.cores)),
        ("machines", len(machines)),
    )


def _order(outcome: Outcome, asked: Asked) -> tuple[object, ...]:
    values = tuple(value for _, value in _score(outcome, asked))
    return (*values, natural_key(outcome.state.host.name), outcome.state.host.id)


def _explain(outcome: Outcome, asked: Asked) -> HostExplanation:
    labels = outcome.placement.labels if outcome.placement else ()
    score = () if outcome.refusal else tuple((k, f"{abs(v):g}") for k, v in _score(outcome, asked))
    return HostExplanation(
        outcome.state.host.name, outcome.refusal, labels, score, outcome.state.host.facts_at
    )


def _refused(outcomes: list[Outcome]) -> Explanation:
    """One host: its own code; several: `no-host-fits`, with every host's code."""
    hosts = tuple(
        HostExplanation(
            o.state.host.name, o.refusal, o.placement.labels if o.placement else (), (), o.state.host.facts_at
        )
        for o in outcomes
    )
    if len(outcomes) == 1:
        return Explanation(None, outcomes[0].refusal, hosts)
    codes = ", ".join(f"{each.host}: {each.refusal.code}" for each in hosts if each.refusal)
    no = Refusal(
        "a_host_fits",
        RequestCode.NO_HOST_FITS,
        SubjectKind.REQUEST,
        "host",
        "a host that fits",
        codes or "there are no hosts",
    )
    return Explanation(None, no, hosts)
