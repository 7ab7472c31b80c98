"""Many at once: all or none, legal together, deterministic, and no worse than taking them as they come."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostloom.decide.batch.decide_batch import decide_all
from hostloom.decide.check.check import check, check_all
from hostloom.decide.dry_run import identities_of
from hostloom.decide.explain.explain import render
from hostloom.decide.placement.compose import decide
from hostloom.decide.placement.make_plan import with_plan
from hostloom.decide.snapshot import Snapshot
from hostloom.model.plan import JointDecision, Plan
from hostloom.model.request import ParsedBatch, Strategy
from hostloom.simulation.world_file import read_world
from support.batches import batch_of, decided
from support.depth import examples
from support.worlds import drawn_requests, drawn_worlds, easy_requests

QUICK = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
STRATEGIES = st.sampled_from((None, *Strategy))
#: Machines, and hosts, up to which every layout is looked at here.
FEW_MACHINES, FEW_HOSTS = 4, 3


@st.composite
def drawn_batches(draw: st.DrawFn, most: int = 6) -> list[dict[str, Any]]:
    """Some machines of a few kinds, with words of anti-affinity here and there."""
    easy = easy_requests()
    kinds = draw(st.lists(st.one_of(easy, easy, easy, drawn_requests()), min_size=1, max_size=3))
    words = st.sampled_from((None, None, None, "web", "db"))
    count = draw(st.integers(2, most))
    return [
        {**kind, "anti_affinity": draw(words)}
        for kind in draw(st.lists(st.sampled_from(kinds), min_size=count, max_size=count))
    ]


def taken_in_turn(snapshot: Snapshot, batch: ParsedBatch, hosts: Sequence[str | None]) -> list[Plan] | None:
    """Plain first fit: each machine where `decide` puts it, or on the first of the hosts that takes it."""
    plans: list[Plan] = []
    for at, request in enumerate(batch.machines):
        found = None
        for host in hosts if request.host is None else (request.host,):
            wanted = replace(request, host=host)
            found = decide(snapshot, wanted, identities_of(wanted, at)).plan
            if found is not None and not is_apart(batch, [*plans, found]):
                found = None
            if found is not None:
                break
        if found is None:
            return None
        plans.append(found)
        snapshot = with_plan(snapshot, found)
    return plans


def is_apart(batch: ParsedBatch, plans: Sequence[Plan]) -> bool:
    words = [
        (r.anti_affinity, p.host_id) for r, p in zip(batch.machines, plans, strict=False) if r.anti_affinity
    ]
    return len(set(words)) == len(words)


def cost(plans: Sequence[Plan], strategy: Strategy | None) -> int:
    hosts = Counter(each.host_id for each in plans)
    return {None: 0, Strategy.PACK: len(hosts), Strategy.SPREAD: max(hosts.values())}[strategy]


@QUICK
@given(drawn_worlds(), drawn_batches(), STRATEGIES)
def test_all_are_legal_together_or_none_is_placed(
    document: dict[str, Any], requests: list[dict[str, Any]], strategy: Strategy | None
) -> None:
    snapshot, batch = read_world(document).snapshot, batch_of(requests, strategy)
    found = decided(snapshot, batch)
    for each in found.explanations:
        assert render(each)
    if found.refused_at is not None:
        assert found.plans == ()
        assert found.explanations[0].refusal is not None
        return
    assert len(found.plans) == len(found.explanations) == len(batch.machines)
    assert check_all(snapshot, batch, found.plans) == ()
    assert is_apart(batch, found.plans)
    for request, plan, told in zip(batch.machines, found.plans, found.explanations, strict=True):
        assert check(snapshot, request, plan) == ()
        assert told.chosen == plan.host_name == told.hosts[0].host
        snapshot = with_plan(snapshot, plan)


@QUICK
@given(drawn_worlds(), drawn_requests(), STRATEGIES)
def test_a_batch_of_one_is_a_decision(
    document: dict[str, Any], request: dict[str, Any], strategy: Strategy | None
) -> None:
    snapshot, batch = read_world(document).snapshot, batch_of([request], strategy)
    alone = decide(snapshot, batch.machines[0], identities_of(batch.machines[0], 0))
    found = decided(snapshot, batch)
    assert found.plans == (() if alone.plan is None else (alone.plan,))
    assert found.explanations == (alone.explanation,)
    assert found.refused_at == (0 if alone.plan is None else None)


@QUICK
@given(drawn_worlds(), drawn_batches(), STRATEGIES)
def test_no_worse_than_first_fit(
    document: dict[str, Any], requests: list[dict[str, Any]], strategy: Strategy | None
) -> None:
    snapshot, batch = read_world(document).snapshot, batch_of(requests, strategy)
    found = decided(snapshot, batch)
    names = sorted(each.host.name for each in snapshot.hosts)
    for hosts in ((None,), names):
        simple = taken_in_turn(snapshot, batch, hosts)
        if simple is not None and not repeats_itself(found):
            assert found.plans
            assert cost(found.plans, strategy) <= cost(simple, strategy)
        if simple is not None and strategy is None and hosts == (None,) and asks_for_none(batch):
            assert list(found.plans) == [replace(each, revision=snapshot.revision) for each in simple]


def asks_for_none(batch: ParsedBatch) -> bool:
    return not any("ip=" in each.interfaces or each.anti_affinity for each in batch.machines)


def repeats_itself(found: JointDecision) -> bool:
    refusal = found.explanations[0].refusal
    return refusal is not None and refusal.rule in ("machines_differ", "addresses_differ")


@QUICK
@given(drawn_worlds(), drawn_batches(), STRATEGIES, st.randoms())
def test_the_order_of_hosts_means_nothing(
    document: dict[str, Any], requests: list[dict[str, Any]], strategy: Strategy | None, random: Any
) -> None:
    shuffled = copy.deepcopy(document)
    random.shuffle(shuffled["hosts"])
    outcomes = []
    for each in (document, shuffled):
        found = decided(read_world(each).snapshot, batch_of(requests, strategy))
        nics = [[(nic.name, nic.attachment, nic.ips) for nic in plan.interfaces] for plan in found.plans]
        refusal = found.explanations[0].refusal
        outcomes.append(
            ([p.host_name for p in found.plans], nics, found.refused_at, refusal and refusal.code)
        )
    if not any("id=" in each["interfaces"] for each in requests):
        assert outcomes[0] == outcomes[1]


@QUICK
@given(drawn_worlds(), drawn_batches(), STRATEGIES)
def test_on_the_hosts_that_were_chosen_the_plans_are_the_same(
    document: dict[str, Any], requests: list[dict[str, Any]], strategy: Strategy | None
) -> None:
    """So a plan that was kept is found again as long as nothing changed."""
    snapshot, batch = read_world(document).snapshot, batch_of(requests, strategy)
    found = decided(snapshot, batch)
    pairs = zip(batch.machines, found.plans, strict=False)
    bound = tuple(replace(request, host=plan.host_name) for request, plan in pairs)
    again = decide_all(
        snapshot,
        ParsedBatch(bound, strategy),
        tuple(identities_of(each, at) for at, each in enumerate(bound)),
    )
    assert again.plans == found.plans


# -- every layout there is ---------------------------------------------------------------------------------


def least_cost(snapshot: Snapshot, batch: ParsedBatch, strategy: Strategy | None) -> int | None:
    """Of all layouts, in whatever order the machines are taken; None when there is none."""
    costs = [cost(plans, strategy) for plans in layouts(snapshot, batch, {})]
    return min(costs, default=None)


def layouts(snapshot: Snapshot, batch: ParsedBatch, placed: dict[int, Plan]) -> Any:
    if len(placed) == len(batch.machines):
        yield list(placed.values())
        return
    for at, request in enumerate(batch.machines):
        if at in placed:
            continue
        for state in snapshot.hosts:
            name = state.host.name
            if request.host not in (None, name, str(state.host.id)):
                continue
            wanted = replace(request, host=name)
            plan = decide(snapshot, wanted, identities_of(wanted, at)).plan
            if plan is None or any(
                other.host_id == plan.host_id and batch.machines[n].anti_affinity == request.anti_affinity
                for n, other in placed.items()
                if request.anti_affinity
            ):
                continue
            yield from layouts(with_plan(snapshot, plan), batch, {**placed, at: plan})


SMALL = settings(QUICK, max_examples=examples(120))


@SMALL
@given(drawn_worlds(), drawn_batches(FEW_MACHINES), STRATEGIES)
def test_where_every_layout_can_be_looked_at_none_is_missed(
    document: dict[str, Any], requests: list[dict[str, Any]], strategy: Strategy | None
) -> None:
    document["hosts"] = document["hosts"][:FEW_HOSTS]
    snapshot, batch = read_world(document).snapshot, batch_of(requests, strategy)
    found = decided(snapshot, batch)
    if found.plans:
        if strategy is not None and cost(found.plans, strategy) > 1:
            assert cost(found.plans, strategy) == least_cost(snapshot, batch, strategy)
    elif not repeats_itself(found):
        assert next(layouts(snapshot, batch, {}), None) is None
