"""Suggestions: each was tried, none is larger than it need be, and the same world gives the same ones."""

import copy
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hostloom.decide.changes.apply import apply
from hostloom.decide.changes.request import apply_to_request
from hostloom.decide.changes.text import format_change
from hostloom.decide.check.check import check
from hostloom.decide.dry_run import simulate
from hostloom.decide.explain.changes import CONDITIONS, render_suggestion
from hostloom.decide.explain.explain import render
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.suggest.suggest import INVASION, advised, suggest
from hostloom.model.errors.values import InvalidValue
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange, Suggestion
from hostloom.model.plan import Decision
from hostloom.model.reasons import RequestCode
from hostloom.model.request import ParsedRequest
from hostloom.simulation.sections import Section
from hostloom.simulation.world_file import Case, WorldDocument, read_request, read_world
from support.a_request import a_request
from support.depth import examples
from support.worlds import ACCEPTANCE, drawn_requests, drawn_worlds, load, world

QUICK = settings(max_examples=examples(120), deadline=None, suppress_health_check=list(HealthCheck))
REFUSED = [
    pytest.param(found, case, id=f"{path.stem}:{case.name}")
    for path in sorted(ACCEPTANCE.rglob("*.yaml"))
    for found in [load(path)]
    for case in found.cases
    if "error" in case.expect
]
#: Nothing of the world or of a well-formed request is at fault: the text is.
TEXTUAL = {
    RequestCode.CONSTRAINT_SYNTAX,
    RequestCode.UNKNOWN_KEY,
    RequestCode.DUPLICATE_LABEL,
    RequestCode.INVALID_LABEL,
    RequestCode.INVALID_VALUE,
}


def after(
    snapshot: Snapshot, request: ParsedRequest, changes: tuple[HypotheticalChange, ...]
) -> tuple[Snapshot, ParsedRequest, Decision]:
    for change in changes:
        snapshot = apply(snapshot, change)
        request = apply_to_request(request, change)
    return snapshot, request, simulate(snapshot, request)


def assert_each_does(snapshot: Snapshot, request: ParsedRequest, suggestions: tuple[Suggestion, ...]) -> None:
    for each in suggestions:
        changed, asked, decision = after(snapshot, request, each.changes)
        assert decision.plan is not None, each
        assert check(changed, asked, decision.plan) == ()
        for size in range(1, len(each.changes)):
            for some in combinations(each.changes, size):
                try:
                    _, _, less = after(snapshot, request, some)
                except InvalidValue:
                    continue
                assert less.plan is None, (some, each)
        assert "{" not in render_suggestion(each)


@pytest.mark.parametrize(("found", "case"), REFUSED)
def test_in_every_world_what_is_suggested_does(found: WorldDocument, case: Case) -> None:
    decision = simulate(found.snapshot, case.request)
    assume_refused = decision.explanation.refusal
    if assume_refused is None:
        return
    suggestions = suggest(found.snapshot, case.request, decision.explanation)
    assert_each_does(found.snapshot, case.request, suggestions)
    if assume_refused.code in TEXTUAL:
        assert suggestions == ()


@QUICK
@given(drawn_worlds(), drawn_requests())
def test_in_any_world_what_is_suggested_does(document: dict[str, Any], request: dict[str, Any]) -> None:
    snapshot = read_world(document).snapshot
    wanted = read_request(Section(request, ()))
    decision = simulate(snapshot, wanted)
    assume(decision.plan is None)
    assert_each_does(snapshot, wanted, suggest(snapshot, wanted, decision.explanation))


@QUICK
@given(drawn_worlds(), drawn_requests(), st.randoms())
def test_the_order_of_hosts_means_nothing(
    document: dict[str, Any], request: dict[str, Any], random: Any
) -> None:
    shuffled = copy.deepcopy(document)
    random.shuffle(shuffled["hosts"])
    wanted = read_request(Section(request, ()))
    told = []
    for each in (document, shuffled):
        snapshot = read_world(each).snapshot
        decision = simulate(snapshot, wanted)
        assume(decision.plan is None)
        told.append(suggest(snapshot, wanted, decision.explanation))
    assert told[0] == told[1]


WORLD = world("""
world: 1
fabrics:
  - name: f
    vlans:
      - {vid: 0, space: mgmt, dhcp: true}
      - {vid: 20, space: dmz}
      - {vid: 30, space: lab, dhcp: true}
      - {vid: 40, space: full, dhcp: true}
subnets:
  - {cidr: 10.0.0.0/24, vlan: f/0, used: [10.0.0.9]}
  - {cidr: 10.0.40.0/30, vlan: f/40, used: [10.0.40.1, 10.0.40.2]}
hosts:
  - name: kvm1
    address: qemu+ssh://u@192.0.2.1/system
    memory_mib: 8192
    interfaces:
      - {name: eth0, type: physical}
      - {name: eth1, type: physical}
      - {name: bond0, type: bond, parents: [eth0, eth1], vlan: f/0}
      - {name: br0, type: bridge, parents: [bond0], vlan: f/0}
      - {name: br20, type: bridge, vlan: f/20}
      - {name: br40, type: bridge, vlan: f/40}
      - {name: eth7, type: physical, vlan: f/0, tags: [far], link: false}
    libvirt_networks: [{name: default, active: true, bridge: br0, dhcp: true}]
    machines: [{name: vm1, memory_mib: 6144}]
""").snapshot


def told(**fields: Any) -> list[str]:
    request = a_request(**{"memory_mib": 1024} | fields)
    decision = advised(WORLD, request, simulate(WORLD, request))
    return [render_suggestion(each) for each in decision.explanation.suggestions]


def test_serve_a_vlan() -> None:
    assert told(interfaces="eth0:space=dmz") == [
        "it would fit on kvm1 if our DHCP served VLAN f/20: `hostloom vlan dhcp on f/20`",
        "it would fit on kvm1 if it did not need to boot from the network (--no-netboot)",
    ]


def test_bring_a_vlan_to_a_bond() -> None:
    assert told(interfaces="eth0:space=lab") == ["it would fit on kvm1 if kvm1 had VLAN f/30 on bond0"]


def test_turn_off_libvirts_dhcp() -> None:
    assert told(interfaces="eth0:attach=network") == [
        (
            "it would fit on kvm1 if libvirt's own DHCP were off on network default of kvm1: "
            "`hostloom host fix-network kvm1 default`"
        )
    ]


def test_give_an_address_back() -> None:
    assert told(interfaces="eth0:space=full")[0] == (
        "it would fit on kvm1 if 10.0.40.1 of 10.0.40.0/30 were given back: "
        "`hostloom address release 10.0.40.1`"
    )


def test_raise_the_smallest_ratio_that_does() -> None:
    assert told(interfaces="eth0:space=mgmt", memory_mib=4096) == [
        (
            "it would fit on kvm1 if memory of kvm1 were over-committed 1.25 times (now 1): "
            "`hostloom host update kvm1 --memory-over-commit 1.25`"
        )
    ]


def test_two_changes_where_one_is_not_enough() -> None:
    assert told(interfaces="eth0:space=lab", memory_mib=4096) == [
        (
            "it would fit on kvm1 if memory of kvm1 were over-committed 1.25 times (now 1) and kvm1 had VLAN "
            "f/30 on bond0: `hostloom host update kvm1 --memory-over-commit 1.25`"
        )
    ]


def test_what_was_meant() -> None:
    assert told(interfaces="eth0:space=mgnt") == [
        "it would fit on kvm1 if its interfaces were 'eth0:space=mgmt'"
    ]
    assert told(host="kvm11") == ["it would fit on kvm1 if it were requested on host kvm1 (--host)"]


def test_another_address() -> None:
    assert told(interfaces="eth0:ip=10.0.0.9") == [
        (
            "it would fit on kvm1 if 10.0.0.9 of 10.0.0.0/24 were given back: "
            "`hostloom address release 10.0.0.9`"
        ),
        "it would fit on kvm1 if its interfaces were 'eth0:ip=10.0.0.10'",
    ]


def test_mend_a_link() -> None:
    assert told(interfaces="eth0:tag=far") == ["it would fit on kvm1 if eth7 of kvm1 had a link"]


def test_nothing_is_suggested_for_what_fits() -> None:
    request = a_request(interfaces="eth0:space=mgmt", memory_mib=1024)
    decision = simulate(WORLD, request)
    assert advised(WORLD, request, decision) is decision


def test_suggestions_are_told_after_the_reasons() -> None:
    request = a_request(interfaces="eth0:tag=far", memory_mib=1024)
    lines = render(advised(WORLD, request, simulate(WORLD, request)).explanation)
    assert lines[0].startswith("refused: ")
    assert lines[-1] == "it would fit on kvm1 if eth7 of kvm1 had a link"


def test_every_kind_that_is_suggested_has_a_cost_and_words() -> None:
    assert set(INVASION) == set(CONDITIONS)
    for kind in INVASION:
        change = HypotheticalChange(kind, "a", "b", "1", "c")
        assert "{" not in render_suggestion(Suggestion((change,), "kvm1"))
        assert format_change(change)
    assert ChangeKind.LOSE_HOST not in INVASION
