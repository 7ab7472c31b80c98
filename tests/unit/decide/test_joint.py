"""Many at once: all or none, legal together, deterministic, and no worse than taking them as they come."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostloom.decide.cases import identities_of
from hostloom.decide.check import check, check_all
from hostloom.decide.compose import decide
from hostloom.decide.explain import render
from hostloom.decide.joint import decide_all
from hostloom.decide.placed import with_plan
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.world import read_request, read_world
from hostloom.decide.world_read import Section
from hostloom.model.plan import JointDecision, Plan, RequestCode
from hostloom.model.request import ComposeBatch, ComposeRequest, Strategy
from support.worlds import drawn_requests, drawn_worlds, easy_requests, world

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def batch_of(requests: Sequence[dict[str, Any]], strategy: Strategy | None = None) -> ComposeBatch:
    return ComposeBatch(tuple(read_request(Section(each, ())) for each in requests), strategy)


def decided(snapshot: Snapshot, batch: ComposeBatch) -> JointDecision:
    return decide_all(
        snapshot, batch, tuple(identities_of(each, at) for at, each in enumerate(batch.machines))
    )


def taken_in_turn(snapshot: Snapshot, batch: ComposeBatch, hosts: Sequence[str | None]) -> list[Plan] | None:
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


def is_apart(batch: ComposeBatch, plans: Sequence[Plan]) -> bool:
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


def asks_for_none(batch: ComposeBatch) -> bool:
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
        ComposeBatch(bound, strategy),
        tuple(identities_of(each, at) for at, each in enumerate(bound)),
    )
    assert again.plans == found.plans


# -- every layout there is ---------------------------------------------------------------------------------


def least_cost(snapshot: Snapshot, batch: ComposeBatch, strategy: Strategy | None) -> int | None:
    """Of all layouts, in whatever order the machines are taken; None when there is none."""
    costs = [cost(plans, strategy) for plans in layouts(snapshot, batch, {})]
    return min(costs, default=None)


def layouts(snapshot: Snapshot, batch: ComposeBatch, placed: dict[int, Plan]) -> Any:
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


SMALL = settings(QUICK, max_examples=120)


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


# -- by hand -----------------------------------------------------------------------------------------------

THREE_HOSTS = """
world: 1
fabrics: [{name: f, vlans: [{vid: 0, space: mgmt, dhcp: true}, {vid: 20, space: dmz, dhcp: true}]}]
subnets: [{cidr: 10.0.0.0/24, vlan: f/0}, {cidr: 10.0.20.0/29, vlan: f/20}]
hosts:
  - {name: kvm1, address: "qemu+ssh://u@10.0.0.101/system", memory_mib: 8192,
     interfaces: [{name: br0, type: bridge, vlan: f/0}, {name: br20, type: bridge, vlan: f/20}]}
  - {name: kvm2, address: "qemu+ssh://u@10.0.0.102/system", memory_mib: 6144,
     interfaces: [{name: br0, type: bridge, vlan: f/0}]}
  - {name: kvm3, address: "qemu+ssh://u@10.0.0.103/system", memory_mib: 4096,
     interfaces: [{name: br0, type: bridge, vlan: f/0}, {name: eth5, vlan: f/20}]}
"""
MGMT, DMZ = "eth0:space=mgmt", "eth0:space=dmz"


def by_hand(*machines: ComposeRequest, strategy: Strategy | None = None) -> JointDecision:
    return decided(world(THREE_HOSTS).snapshot, ComposeBatch(machines, strategy))


def hosts_of(found: JointDecision) -> list[str]:
    return [each.host_name for each in found.plans]


def machine(interfaces: str = MGMT, memory_mib: int = 2048, **more: Any) -> ComposeRequest:
    return ComposeRequest(interfaces=interfaces, memory_mib=memory_mib, **more)


def test_an_empty_batch_is_nothing() -> None:
    for strategy in (None, *Strategy):
        assert by_hand(strategy=strategy) == JointDecision((), ())


def test_what_one_asks_for_is_not_the_next_free_address_of_another() -> None:
    found = by_hand(machine(), machine("eth0:ip=10.0.0.1"), machine())
    assert [str(each.interfaces[0].ips[0]) for each in found.plans] == ["10.0.0.2", "10.0.0.1", "10.0.0.3"]


def test_addresses_follow_the_order_of_the_batch_whatever_is_placed_first() -> None:
    found = by_hand(machine(memory_mib=512), machine(memory_mib=4096), strategy=Strategy.PACK)
    assert [str(each.interfaces[0].ips[0]) for each in found.plans] == ["10.0.0.1", "10.0.0.2"]


def test_one_makes_room_for_another() -> None:
    """Taken in turn, the small ones would fill kvm1, which alone has room for the big one."""
    found = by_hand(machine(), machine(), machine(memory_mib=8192))
    assert hosts_of(found)[2] == "kvm1"
    assert "kvm1" not in hosts_of(found)[:2]


def test_the_machine_that_would_be_refused_alone_is_named() -> None:
    found = by_hand(machine(), machine("eth0:space=nowhere"), machine(memory_mib=99999))
    refusal = found.explanations[0].refusal
    assert found.refused_at == 1
    assert refusal is not None
    assert refusal.code is RequestCode.UNKNOWN_SPACE


def test_the_refusal_is_that_of_the_world_with_the_others() -> None:
    found = by_hand(*[machine(DMZ, host="kvm1", memory_mib=4096)] * 3)
    refusal = found.explanations[0].refusal
    assert (found.plans, found.refused_at) == ((), 2)
    assert refusal is not None
    assert (refusal.code, refusal.subject) == (RequestCode.NOT_ENOUGH_MEMORY, "kvm1")


def test_anti_affinity_is_told_host_by_host() -> None:
    found = by_hand(*[machine(anti_affinity="web")] * 4)
    explanation = found.explanations[0]
    assert found.refused_at == 3
    assert explanation.refusal is not None
    assert explanation.refusal.code is RequestCode.NO_HOST_FITS
    assert explanation.refusal.found == "anti-affinity (3)"
    assert "not kvm2: host kvm2 has a machine of 'web', with which it may not share a host" in render(
        explanation
    )


@pytest.mark.parametrize(
    ("first", "second", "code", "words"),
    [
        ({"hostname": "web"}, {"hostname": "web"}, "contradiction", "hostname web for machines 1 and 2"),
        (
            {"interfaces": "eth0:mac=52:54:00:00:00:01"},
            {"interfaces": "eth0:mode=dhcp;eth1:mac=52:54:00:00:00:01"},
            "contradiction",
            "mac 52:54:00:00:00:01 for machines 1 and 2",
        ),
        (
            {"interfaces": "eth0:ip=10.0.0.9"},
            {"interfaces": "eth0:ip=10.0.0.9"},
            "duplicate-address",
            "10.0.0.9",
        ),
    ],
)
def test_what_only_one_can_have(first: Any, second: Any, code: str, words: str) -> None:
    found = by_hand(machine(**first), machine(**second))
    refusal = found.explanations[0].refusal
    assert found.refused_at == 1
    assert refusal is not None
    assert refusal.code == code
    assert words in render(found.explanations[0])[0]


def test_why_a_host_was_chosen() -> None:
    spread = by_hand(*[machine()] * 3, strategy=Strategy.SPREAD)
    assert render(spread.explanations[1])[0].endswith("before kvm3: more memory left")
    assert render(spread.explanations[2])[0].endswith("before kvm1: fewer machines of this batch")
    pack = by_hand(*[machine()] * 2, strategy=Strategy.PACK)
    assert render(pack.explanations[1])[0].endswith("before kvm2: machines of this batch are there already")


def test_of_many_hosts_the_others_are_told_by_code() -> None:
    document = copy.deepcopy(MANY)
    document["hosts"][0]["memory_mib"] = 512
    found = decided(read_world(document).snapshot, batch_of([{"interfaces": MGMT, "anti_affinity": "x"}] * 3))
    groups = {each.code: each.count for each in found.explanations[0].others}
    assert groups == {None: 21, RequestCode.ANTI_AFFINITY: 2, RequestCode.NOT_ENOUGH_MEMORY: 1}


MANY = {
    "world": 1,
    "fabrics": [{"name": "f", "vlans": [{"vid": 0, "space": "mgmt", "dhcp": True}]}],
    "subnets": [{"cidr": "10.0.0.0/24", "vlan": "f/0"}],
    "hosts": [
        {
            "name": f"kvm{n}",
            "address": f"qemu+ssh://u@10.0.0.{n}/system",
            "interfaces": [{"name": "br0", "type": "bridge", "vlan": "f/0"}],
        }
        for n in range(1, 26)
    ],
}


def test_an_address_that_is_asked_for_on_one_fabric_is_given_on_another() -> None:
    document = copy.deepcopy(MANY)
    document["fabrics"].append({"name": "g", "vlans": [{"vid": 0, "dhcp": True}]})
    document["subnets"] = [{"cidr": "10.9.0.0/32", "vlan": "f/0"}, {"cidr": "10.9.0.0/32", "vlan": "g/0"}]
    document["hosts"][1]["interfaces"][0]["vlan"] = "g/0"
    requests = [
        {"host": "kvm1", "interfaces": "eth0:ip=10.9.0.0"},
        {"host": "kvm2", "interfaces": "eth0:vid=0"},
    ]
    for some in (requests, requests[::-1]):
        found = decided(read_world(document).snapshot, batch_of(some))
        assert [str(each.interfaces[0].ips[0]) for each in found.plans] == ["10.9.0.0", "10.9.0.0"]
