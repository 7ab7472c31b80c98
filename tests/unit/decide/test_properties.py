"""What holds in every world: determinism, completeness, monotony, and that only an answer comes back."""

import copy
from itertools import product
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hostloom.decide.check.check import check
from hostloom.decide.dry_run import simulate
from hostloom.decide.explain import explain
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.assignment import Infeasible, Search
from hostloom.decide.placement.candidates import HostView
from hostloom.decide.placement.matching import match
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.request import constraints, storage
from hostloom.decide.request.resolve import resolve_request as read_asked
from hostloom.model.errors.values import ConstraintError
from hostloom.model.host import CorrelationState
from hostloom.model.plan import Decision
from hostloom.simulation.sections import Section
from hostloom.simulation.world_file import read_request, read_world
from support.a_request import a_request
from support.depth import examples
from support.worlds import drawn_requests, drawn_worlds

#: Requests that are refused are drawn often, and of no use to some of the tests.
UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much]
QUICK = settings(max_examples=examples(150), deadline=None, suppress_health_check=UNHURRIED)


def decide(document: dict[str, Any], request: dict[str, Any]) -> Decision:
    world = read_world(copy.deepcopy(document))
    return simulate(world.snapshot, read_request(Section(request, ())))


def outcome(decision: Decision) -> tuple[object, ...]:
    """What a user would notice, without ids, which depend on the order in the file."""
    refusal = decision.explanation.refusal
    if decision.plan is None:
        return (refusal.code if refusal else None,)
    nics = tuple((nic.name, nic.attachment, nic.ips, nic.boot, nic.mode) for nic in decision.plan.interfaces)
    return decision.plan.host_name, nics, tuple(disk.pool for disk in decision.plan.disks)


@QUICK
@given(drawn_worlds(), drawn_requests(), st.randoms())
def test_order_means_nothing(document: dict[str, Any], request: dict[str, Any], random: Any) -> None:
    shuffled = copy.deepcopy(document)
    for host in shuffled["hosts"]:
        random.shuffle(host["interfaces"])
        random.shuffle(host["libvirt_networks"])
    random.shuffle(shuffled["hosts"])
    random.shuffle(shuffled["subnets"])
    random.shuffle(shuffled["fabrics"][0]["vlans"])
    assert outcome(decide(document, request)) == outcome(decide(shuffled, request))


@QUICK
@given(drawn_worlds(), drawn_requests())
def test_every_plan_passes_the_checker(document: dict[str, Any], request: dict[str, Any]) -> None:
    world = read_world(document)
    wanted = read_request(Section(request, ()))
    decision = simulate(world.snapshot, wanted)
    assert (decision.plan is None) == (decision.explanation.refusal is not None)
    explain.render(decision.explanation)
    if decision.plan is not None:
        assert check(world.snapshot, wanted, decision.plan) == ()


@QUICK
@given(drawn_worlds(), drawn_requests())
def test_removing_what_was_rejected_changes_nothing(
    document: dict[str, Any], request: dict[str, Any]
) -> None:
    decision = decide(document, request)
    assume(decision.plan is not None and decision.plan.interfaces)
    assert decision.plan is not None
    used = {nic.attachment.source for nic in decision.plan.interfaces}
    less = copy.deepcopy(document)
    less["hosts"] = [host for host in less["hosts"] if host["name"] == decision.plan.host_name]
    host = less["hosts"][0]
    bridges = {network["bridge"] for network in host["libvirt_networks"] if network["name"] in used}
    kept = with_parents(host["interfaces"], used | bridges)
    host["interfaces"] = [link for link in host["interfaces"] if link["name"] in kept]
    host["libvirt_networks"] = [
        network
        for network in host["libvirt_networks"]
        if network["name"] in used or kept & set(network.get("parents", ()))
    ]
    assert outcome(decide(less, request)) == outcome(decision)


def with_parents(interfaces: list[dict[str, Any]], names: set[str]) -> set[str]:
    """The named ones with all that is below them, and what those are members of."""
    found = {each["name"] for each in interfaces} & names
    while True:
        more = {parent for each in interfaces if each["name"] in found for parent in each.get("parents", ())}
        more |= {each["name"] for each in interfaces if found & set(each.get("parents", ()))}
        if more <= found:
            return found
        found |= more


@QUICK
@given(drawn_worlds(), drawn_requests())
def test_more_capacity_never_turns_yes_into_no(document: dict[str, Any], request: dict[str, Any]) -> None:
    before = decide(document, request)
    more = copy.deepcopy(document)
    for host in more["hosts"]:
        host["cores"] += 4
        host["memory_mib"] += 4096
        for pool in host["storage_pools"]:
            pool["total_gb"] += 50
            pool["free_gb"] += 50
    after = decide(more, request)
    assert before.plan is None or after.plan is not None


@QUICK
@given(drawn_worlds(), drawn_requests())
def test_the_search_finds_the_best_of_all_assignments(
    document: dict[str, Any], request: dict[str, Any]
) -> None:
    """Compared with every assignment there is: the best label by label, or none."""
    world = read_world(document)
    address_index = address_index_of(world.snapshot)
    try:
        asked = read_asked(
            world.snapshot, address_index, read_request(Section({**request, "host": None}, ()))
        )
    except RefuseRequest:
        assume(False)
        return
    for state in world.snapshot.hosts:
        node = world.snapshot.node_of(state.host)
        if (
            node is None
            or state.host.correlation.state is not CorrelationState.CORRELATED
            or not asked.requirements
        ):
            continue
        view = HostView(world.snapshot, state, node.hostname, node.interfaces)
        options = tuple(match(view, requirement) for requirement in asked.requirements)
        search = Search(world.snapshot, address_index, options, netboot=asked.request.netboot)
        found = search.run()
        possible = [c for c in product(*(each.candidates for each in options)) if completes(search, c)]
        if isinstance(found, Infeasible):
            assert possible == []
        else:
            chosen = tuple(each.candidate for each in found.chosen)
            assert chosen in possible
            assert preference(chosen) == min(map(preference, possible))


def completes(search: Search, candidates: tuple[Any, ...]) -> bool:
    state = search._start
    for at, candidate in enumerate(candidates):
        if search._is_busy(search._options[at], candidate, state):
            return False
        step = search._take(at, candidate, state)
        if step is None:
            return False
        state = step[1]
    return state.boots or not search._netboot


def preference(candidates: tuple[Any, ...]) -> list[Any]:
    used: set[str] = set()
    keys = []
    for candidate in candidates:
        keys.append(candidate.preference(frozenset(used)))
        used.add(candidate.source)
    return keys


TEXT = st.text(alphabet="eth01:=,;_-vid spacemtunotip.()&x/\t\u00e9", max_size=40)


@settings(max_examples=examples(400), deadline=None)
@given(TEXT, TEXT)
def test_no_text_raises_anything_but_a_constraint_error(interfaces: str, disks: str) -> None:
    for parse, text in ((constraints.parse, interfaces), (storage.parse, disks)):
        try:
            parse(text)
        except ConstraintError as error:
            assert error.column >= 1


@settings(max_examples=examples(200), deadline=None)
@given(TEXT, TEXT, st.integers(-5, 10**12), st.text(max_size=5))
def test_no_request_raises(interfaces: str, disks: str, cores: int, host: str) -> None:
    world = read_world(DOCUMENT)
    simulate(world.snapshot, a_request(host=host or None, interfaces=interfaces, storage=disks, cores=cores))


@QUICK
@given(drawn_requests())
def test_parse_and_format_are_inverse(request: dict[str, Any]) -> None:
    labels = constraints.parse(request["interfaces"])
    assert constraints.parse(constraints.format_constraints(labels)) == labels


@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.lists(st.sampled_from(("fast", "ssd")), unique=True)),
        min_size=1,
        max_size=5,
    )
)
def test_storage_round_trip(sizes: list[tuple[int, list[str]]]) -> None:
    text = ",".join(
        f"d{n}:{size / 1000:g}({','.join(words)})" if words else f"d{n}:{size / 1000:g}"
        for n, (size, words) in enumerate(sizes)
    )
    disks = storage.parse(text)
    assert storage.parse(storage.format_storage(disks)) == disks


DOCUMENT = {
    "world": 1,
    "fabrics": [{"name": "f", "vlans": [{"vid": 0, "space": "mgmt", "dhcp": True}]}],
    "hosts": [
        {
            "name": "kvm1",
            "address": "qemu+ssh://u@192.0.2.1/system",
            "interfaces": [{"name": "br0", "type": "bridge", "vlan": "f/0"}],
        }
    ],
}
