"""All hosts at once: the same answers as one by one, and indexes that are carried are as if built anew."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hostloom.decide.dry_run import identities_of, simulate
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.fleet.survey import survey
from hostloom.decide.persistent import UsedNumbers
from hostloom.decide.placement import compose
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.host_evaluation import evaluate_host, network_fit
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.request.resolve import resolve_request as read_asked
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import PlacedInterface, PlacedMachine
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.request import ParsedRequest
from hostloom.simulation.sections import Section
from hostloom.simulation.world_file import Case, WorldDocument, read_request, read_world
from support.depth import examples
from support.indexes import assert_indexes, build_indexes
from support.worlds import ACCEPTANCE, drawn_requests, drawn_worlds, load

QUICK = settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
CASES = [
    pytest.param(world, case, id=f"{path.stem}:{case.name}")
    for path in sorted(ACCEPTANCE.rglob("*.yaml"))
    for world in [load(path)]
    for case in world.cases
]


def assert_the_same(snapshot: Snapshot, request: ParsedRequest) -> None:
    address_index, fleet = address_index_of(snapshot), fleet_of(snapshot)
    try:
        asked = read_asked(snapshot, address_index, replace(request, host=None))
    except RefuseRequest:
        return
    found = survey(snapshot, address_index, fleet, asked, {})
    trials = [evaluate_host(snapshot, address_index, row.state, asked) for row in fleet.rows]
    expected = [
        each.refusal.code if each.refusal else network_fit(each.placement.nics if each.placement else ())
        for each in trials
    ]
    assert found.verdicts == expected
    good = sorted((each for each in trials if each.refusal is None), key=lambda each: each.order(asked))
    best = None if found.best is None else fleet.rows[found.best].state.host.name
    assert best == (good[0].state.host.name if good else None)


@pytest.mark.parametrize(("world", "case"), CASES)
def test_all_at_once_is_as_one_by_one(world: WorldDocument, case: Case) -> None:
    assert_the_same(world.snapshot, case.request)


@settings(QUICK, max_examples=examples(600))
@given(drawn_worlds(), drawn_requests())
def test_all_at_once_is_as_one_by_one_in_any_world(document: dict[str, Any], request: dict[str, Any]) -> None:
    assert_the_same(read_world(document).snapshot, read_request(Section(request, ())))


@QUICK
@given(drawn_worlds(), drawn_requests())
def test_many_hosts_are_decided_like_few(document: dict[str, Any], request: dict[str, Any]) -> None:
    request.pop("host", None)
    snapshot = read_world(document).snapshot
    wanted = read_request(Section(request, ()))
    few = simulate(snapshot, wanted)
    many = compose.decide(snapshot, wanted, identities_of(wanted, 0), few=0)
    assert many.plan == few.plan
    codes = [(each.refusal.code if each.refusal else None) for each in (few.explanation, many.explanation)]
    assert codes[0] == codes[1] or len(snapshot.hosts) == 1
    if few.plan is not None:
        assert many.explanation.hosts == few.explanation.hosts[:1]
        assert many.explanation.host_reason == few.explanation.host_reason
        assert many.explanation.host_runner_up == few.explanation.host_runner_up
    told = [each.host for each in many.explanation.hosts]
    told += [name for group in many.explanation.others for name in group.hosts]
    if codes[0] is None or few.explanation.hosts:
        assert sorted(told) == sorted(each.host.name for each in snapshot.hosts)


# -- carried indexes -------------------------------------------------------------------------------------

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("machine", "empty", "gone", "renamed", "unreachable", "hold", "give-back", "node")),
        st.integers(0, 3),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=6,
)


def change(snapshot: Snapshot, what: str, place: int, number: int) -> tuple[Snapshot, Delta] | None:
    """A later snapshot of the same network, and what differs."""
    if what == "hold" and snapshot.subnets:
        subnet = snapshot.subnets[place % len(snapshot.subnets)]
        ip = subnet.cidr[number % subnet.cidr.num_addresses]
        held = HeldAddress(ip, AddressKind.AUTO, subnet.id if number % 2 else None, "aaaaaa", "eth0")
        return replace(snapshot, held=(*snapshot.held, held)), Delta(gained=(held,))
    if what == "give-back" and snapshot.held:
        gone = snapshot.held[number % len(snapshot.held)]
        held_left = list(snapshot.held)
        held_left.remove(gone)
        return replace(snapshot, held=tuple(held_left)), Delta(lost=(gone,))
    if not snapshot.hosts:
        return None
    state = snapshot.hosts[place % len(snapshot.hosts)]
    if what == "node":
        node = snapshot.node_of(state.host)
        if node is None:
            return None
        changed = replace(node, interfaces=node.interfaces[: number % (len(node.interfaces) + 1)])
        nodes = tuple(changed if each is node else each for each in snapshot.nodes)
        return replace(snapshot, nodes=nodes), Delta(nodes={node.system_id: changed})
    later = changed_host(state, what, number)
    hosts = tuple(each if each is not state else later for each in snapshot.hosts)
    hosts = tuple(each for each in hosts if each is not None)
    return replace(snapshot, hosts=hosts), Delta(hosts={state.host.id: later})


def changed_host(state: HostState, what: str, number: int) -> HostState | None:
    if what == "gone":
        return None
    if what == "renamed":
        return replace(state, host=replace(state.host, name=f"other{state.host.id}"))
    if what == "unreachable":
        return replace(state, host=replace(state.host, reachable=not state.host.reachable))
    if what == "empty":
        return replace(state, machines=())
    mode = list(MacvlanMode)[number % 4]
    nic = PlacedInterface(AttachKind.MACVLAN, f"ph{number}", mode)
    machine = PlacedMachine(f"vm{len(state.machines)}", 1 + number % 3, 512, (nic,))
    return replace(state, machines=(*state.machines, machine))


@QUICK
@given(drawn_worlds(), CHANGES, drawn_requests())
def test_carried_indexes_are_as_if_built_anew(
    document: dict[str, Any], changes: list[tuple[str, int, int]], request: dict[str, Any]
) -> None:
    snapshot = read_world(document).snapshot
    wanted = replace(read_request(Section(request, ())), host=None)
    assert_the_same(snapshot, wanted)
    build_indexes(snapshot)
    for what, place, number in changes:
        found = change(snapshot, what, place, number)
        if found is None:
            continue
        snapshot = found[0].carry(snapshot, found[1])
        fresh = replace(snapshot)
        assert_indexes(snapshot)
        assert_the_same(snapshot, wanted)
        assert simulate(snapshot, wanted) == simulate(fresh, wanted)


def test_of_a_changed_network_only_what_rests_on_other_parts_is_carried() -> None:
    snapshot = load(ACCEPTANCE / "shared/addresses.yaml").snapshot
    build_indexes(snapshot)
    vlans = replace(snapshot, vlans=tuple(replace(each, dhcp_on=False) for each in snapshot.vlans))
    assert list(vlans.carry(snapshot, Delta()).indexes) == ["addresses"]
    assert vlans.bootable_vlans == frozenset()
    assert_indexes(vlans)
    subnets = replace(snapshot, subnets=())
    assert not subnets.carry(snapshot, Delta()).indexes
    assert_indexes(subnets)


NUMBERS = st.sets(st.integers(0, 5000), max_size=60)


@given(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 5000), st.integers(0, 3000))
def test_used_numbers_are_a_set(
    start: set[int], added: set[int], removed: set[int], low: int, span: int
) -> None:
    assume(not added & removed)
    before = UsedNumbers.of(start)
    after = before.changed({**dict.fromkeys(added, True), **dict.fromkeys(removed, False)})
    expected = (start | added) - removed
    high = low + span
    assert list(after.free(low, high)) == [each for each in range(low, high + 1) if each not in expected]
    assert list(before.free(low, high)) == [each for each in range(low, high + 1) if each not in start]
    assert all((each in after) is (each in expected) for each in start | added | removed)
