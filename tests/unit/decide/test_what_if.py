"""What a change would do: every harm, where hurt machines could go, which requests fare otherwise."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostloom.decide.changes.apply import apply
from hostloom.decide.changes.text import parse_change
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import CorrelationState, PlacedMachine
from hostloom.model.request import GB, Strategy
from hostloom.simulation.comparison import OutcomeChange, compare_cases
from hostloom.simulation.explain import (
    HARMS,
    render_changed,
    render_headline,
    render_headroom,
    render_relocation,
)
from hostloom.simulation.headroom import headroom
from hostloom.simulation.impact import Impact, ImpactCode, impacts
from hostloom.simulation.outcomes import host_counts, outcome
from hostloom.simulation.relocation import ask_again
from hostloom.simulation.what_if import consequences
from hostloom.simulation.what_if_document import consequences_data, room_data
from hostloom.simulation.world_file import Case, read_world
from support.a_request import a_request
from support.depth import examples
from support.worlds import drawn_worlds, world

WORLD = """
world: 1
fabrics:
  - name: lan
    vlans:
      - {vid: 0, space: mgmt, dhcp: %(mgmt_dhcp)s}
      - {vid: 20, space: dmz, dhcp: true}
      - {vid: 30, space: lab}
subnets:
  - {cidr: 10.0.0.0/24, vlan: lan/0}
  - {cidr: 10.0.20.0/24, vlan: lan/20}
hosts:
  - name: kvm1
    address: qemu+ssh://u@10.0.0.5/system
    reachable: %(reachable)s
    known: %(known)s
    cores: %(cores)s
    memory_mib: %(memory_mib)s
    interfaces:
      - {name: eth0, vlan: lan/0, link: %(link)s}
      - {name: br0, type: bridge, parents: [%(ports)s], vlan: lan/0, enabled: %(enabled)s}
      - {name: eth1, vlan: %(eth1)s}
      - {name: eth2, vlan: lan/30}
      %(more)s
    libvirt_networks: [%(network)s]
    machines:
      - {name: web, cores: 2, memory_mib: 4096,
         interfaces: [{source: br0}, {attach: macvlan, source: eth1, mode: bridge}]}
      - {name: lab, interfaces: [{attach: macvlan, source: eth2, mode: private}]}
      - {name: net, interfaces: [{attach: network, source: default}]}
  - name: kvm2
    address: qemu+ssh://u@10.0.0.6/system
    cores: 4
    interfaces:
      - {name: eth0, vlan: lan/0}
      - {name: br0, type: bridge, parents: [eth0], vlan: lan/0}
      - {name: eth1, vlan: lan/20}
cases:
  - {name: dmz-on-kvm1, request: {host: kvm1, interfaces: "eth0:space=dmz"}}
  - {name: lab-on-kvm1, request: {host: kvm1, interfaces: "eth0:space=lab"}}
  - {name: lab-unbooted, request: {interfaces: "eth0:space=lab", netboot: false}}
  - {name: big, request: {memory_mib: 15000}}
  - {name: two, request: {count: 2, strategy: spread, interfaces: "eth0:space=mgmt", cores: 3}}
"""
AS_IT_IS = {
    "mgmt_dhcp": "true",
    "reachable": "true",
    "known": "true",
    "cores": "8",
    "memory_mib": "16384",
    "link": "true",
    "ports": "eth0",
    "enabled": "true",
    "eth1": "lan/20",
    "more": "",
    "network": "{name: default, bridge: br0}",
}
BEFORE = world(WORLD % AS_IT_IS)


def after(**changes: str) -> Snapshot:
    return world(WORLD % (AS_IT_IS | changes)).snapshot


def told(snapshot: Snapshot) -> set[tuple[str, str, str]]:
    return {(each.machine, each.nic, each.code.value) for each in impacts(BEFORE.snapshot, snapshot)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        (
            {"reachable": "false"},
            {(name, "", "host-unreachable") for name in ("web", "lab", "net")},
        ),
        ({"known": "false"}, {(name, "", "host-not-known") for name in ("web", "lab", "net")}),
        ({"cores": "3"}, {(name, "", "cores-over-committed") for name in ("web", "lab", "net")}),
        ({"memory_mib": "4096"}, {(name, "", "memory-over-committed") for name in ("web", "lab", "net")}),
        ({"link": "false"}, {("web", "eth0", "uplink-gone"), ("net", "eth0", "uplink-gone")}),
        ({"ports": ""}, {("web", "eth0", "uplink-gone"), ("net", "eth0", "uplink-gone")}),
        ({"ports": "eth0, eth1"}, {("web", "eth1", "interface-is-member")}),
        (
            {"enabled": "false"},
            {("web", "eth0", "interface-disabled"), ("net", "eth0", "interface-disabled")},
        ),
        ({"eth1": "lan/30"}, {("web", "eth1", "vlan-changed")}),
        ({"eth1": "null"}, {("web", "eth1", "vlan-changed")}),
        ({"network": ""}, {("net", "eth0", "network-gone")}),
        (
            {"network": "{name: default, bridge: br0, active: false}"},
            {("net", "eth0", "network-inactive")},
        ),
        ({"network": "{name: default, bridge: virbr0}"}, {("net", "eth0", "interface-gone")}),
        (
            {"mgmt_dhcp": "false"},
            {("web", "eth0", "vlan-not-served"), ("net", "eth0", "vlan-not-served")},
        ),
    ],
)
def test_each_change_hurts_whom_it_hurts(
    changes: dict[str, str], expected: set[tuple[str, str, str]]
) -> None:
    assert told(after(**changes)) == expected


def without_vlan(vid: int) -> Snapshot:
    snapshot = BEFORE.snapshot
    return replace(snapshot, vlans=tuple(each for each in snapshot.vlans if each.vid != vid))


def without_host(name: str) -> Snapshot:
    snapshot = BEFORE.snapshot
    return replace(snapshot, hosts=tuple(each for each in snapshot.hosts if each.host.name != name))


def on_kvm1(state: HostState, snapshot: Snapshot = BEFORE.snapshot) -> Snapshot:
    others = (each for each in snapshot.hosts if each.host.name != "kvm1")
    return replace(snapshot, hosts=(state, *others))


KVM1 = next(each for each in BEFORE.snapshot.hosts if each.host.name == "kvm1")


def test_a_vlan_or_a_host_that_is_gone() -> None:
    assert told(without_vlan(20)) == {("web", "eth1", "vlan-gone")}
    assert told(without_host("kvm1")) == {(name, "", "host-gone") for name in ("web", "lab", "net")}
    assert told(without_host("kvm2")) == set()


def test_an_ambiguous_host_and_a_link_that_is_down() -> None:
    lost = replace(KVM1.host.correlation, state=CorrelationState.AMBIGUOUS, system_id=None)
    ambiguous = on_kvm1(replace(KVM1, host=replace(KVM1.host, correlation=lost)))
    assert {code for _, _, code in told(ambiguous)} == {"host-ambiguous"}
    node = BEFORE.snapshot.node_of(KVM1.host)
    assert node is not None
    dead = replace(
        node, interfaces=tuple(replace(each, link=each.name != "eth1") for each in node.interfaces)
    )
    nodes = tuple(dead if each is node else each for each in BEFORE.snapshot.nodes)
    assert told(replace(BEFORE.snapshot, nodes=nodes)) == {("web", "eth1", "interface-link-down")}


def with_disks(total_gb: int, *, pool: str = "default") -> Snapshot:
    machine = PlacedMachine("disks", 1, 1024, (), {"default": 20 * GB})
    pools = tuple(replace(each, name=pool, total_bytes=total_gb * GB) for each in KVM1.host.storage_pools)
    return on_kvm1(HostState(replace(KVM1.host, storage_pools=pools), (machine,)))


def test_storage_pools_that_are_gone_or_too_small() -> None:
    def codes(later: Snapshot) -> list[ImpactCode]:
        return [each.code for each in impacts(with_disks(100), later)]

    assert codes(with_disks(100)) == []
    assert codes(with_disks(10)) == [ImpactCode.POOL_OVER_COMMITTED]
    assert codes(with_disks(100, pool="other")) == [ImpactCode.POOL_GONE]


def test_what_was_wrong_before_is_no_harm_of_the_change() -> None:
    broken = after(link="false", eth1="lan/30")
    assert impacts(broken, broken) == ()
    assert {each.code for each in impacts(broken, after(link="false", eth1="null"))} == {
        ImpactCode.VLAN_CHANGED
    }


def test_every_code_has_words_and_a_test() -> None:
    assert set(HARMS) == set(ImpactCode)


def test_a_hurt_machine_goes_where_its_vlans_are() -> None:
    found = consequences(BEFORE.snapshot, after(eth1="lan/30"))
    (fate,) = found.fates
    assert (fate.machine, fate.to, fate.stays) == ("web", "kvm2", False)
    assert render_relocation(fate) == "kvm2: eth0 on br0, eth1 on eth1 (bridge)"


def unserved(vid: int) -> Snapshot:
    snapshot = BEFORE.snapshot
    vlans = tuple(replace(each, dhcp_on=each.dhcp_on and each.vid != vid) for each in snapshot.vlans)
    return replace(snapshot, vlans=vlans)


def test_a_hurt_machine_stays_where_it_still_boots() -> None:
    (fate,) = consequences(BEFORE.snapshot, unserved(20)).fates
    assert (fate.machine, fate.to, fate.stays) == ("web", "kvm1", True)
    assert render_relocation(fate) == "stays on kvm1 as it is"
    boots = {
        each.machine: render_relocation(each) for each in consequences(BEFORE.snapshot, unserved(0)).fates
    }
    assert boots["web"] == "stays on kvm1 as it is"
    assert boots["net"] == "nowhere: no host fits: no-bootable-vlan (2)"


def test_a_hurt_machine_takes_another_interface_of_its_host_first() -> None:
    more = "- {name: eth3, vlan: lan/20}"
    before, later = after(more=more), after(more=more, eth1="lan/30")
    (fate,) = consequences(before, later).fates
    assert (fate.to, fate.stays) == ("kvm1", False)
    assert [nic.attachment.source for nic in fate.interfaces] == ["br0", "eth3"]


def test_a_bridge_without_uplink_does_not_take_its_machines_again() -> None:
    found = consequences(BEFORE.snapshot, after(ports=""))
    assert {each.machine: render_relocation(each) for each in found.fates} == {
        "net": "kvm1: eth0 on eth0 (bridge)",
        "web": "kvm1: eth0 on eth0 (bridge), eth1 on eth1 (bridge)",
    }
    dead = consequences(BEFORE.snapshot, after(link="false"))
    assert {each.machine: each.to for each in dead.fates} == {"net": "kvm2", "web": "kvm2"}


def test_machines_without_a_host_go_one_after_another_while_there_is_room() -> None:
    found = consequences(BEFORE.snapshot, without_host("kvm1"))
    assert {each.machine: render_relocation(each) for each in found.fates} == {
        "lab": "nowhere: no interface for its eth0 on lan/30",
        "net": "kvm2: eth0 on br0",
        "web": "kvm2: eth0 on br0, eth1 on eth1 (bridge)",
    }
    two_more = tuple(replace(each, cores=3) for each in KVM1.machines)
    crowded = on_kvm1(replace(KVM1, machines=two_more))
    gone = replace(crowded, hosts=tuple(each for each in crowded.hosts if each.host.name != "kvm1"))
    fates = {each.machine: each.to for each in consequences(crowded, gone).fates}
    assert fates == {"lab": None, "net": "kvm2", "web": None}


def test_a_machine_is_asked_for_as_it_is() -> None:
    machine = replace(KVM1.machines[0], reserved_bytes={"default": 8 * GB, "fast": 2 * GB})
    request = ask_again(BEFORE.snapshot, KVM1, machine)
    assert request.interfaces == "eth0:mode=unconfigured,vlan=id:1;eth1:mode=unconfigured,vlan=id:2"
    assert (request.storage, request.cores, request.memory_mib) == ("disk0:8,disk1:2", 2, 4096)
    assert (request.netboot, request.architecture) == (True, "amd64")
    lab = ask_again(BEFORE.snapshot, KVM1, KVM1.machines[1])
    assert (lab.interfaces, lab.netboot) == ("eth0:mode=unconfigured,vlan=id:3", False)


def test_machines_that_are_asked_for_again_fit_where_they_are() -> None:
    found = consequences(BEFORE.snapshot, BEFORE.snapshot)
    assert (found.machines, found.harms, found.fates) == (3, (), ())


# -- requests ----------------------------------------------------------------------------------------------


def turns(later: Snapshot, before: Snapshot = BEFORE.snapshot) -> dict[str, OutcomeChange]:
    found = compare_cases(before, later, BEFORE.cases)
    return {each.name: each.turn for each in found if each.turn is not OutcomeChange.SAME}


def test_requests_that_fare_otherwise() -> None:
    assert turns(BEFORE.snapshot) == {}
    assert turns(after(eth1="lan/30")) == {
        "dmz-on-kvm1": OutcomeChange.NO_LONGER_FITS,
        "lab-unbooted": OutcomeChange.MOVES,
    }
    assert turns(after(memory_mib="4096"))["lab-unbooted"] is OutcomeChange.NO_LONGER_FITS
    assert turns(BEFORE.snapshot, after(memory_mib="4096"))["lab-unbooted"] is OutcomeChange.FITS_NOW
    assert turns(without_host("kvm1"))["lab-on-kvm1"] is OutcomeChange.REFUSED_OTHERWISE


def test_a_request_that_moves_tells_every_difference() -> None:
    mgmt = Case("mgmt", a_request(host="kvm1", interfaces="eth0:vid=0"), {})
    (moved,) = compare_cases(BEFORE.snapshot, after(enabled="false", ports=""), [mgmt])
    assert moved.turn is OutcomeChange.MOVES
    assert render_changed(moved) == (
        "moves: eth0 attach bridge → macvlan, eth0 source br0 → eth0, eth0 mode none → bridge"
    )


def test_several_machines_move_together() -> None:
    case = BEFORE.cases[-1]
    assert (case.count, case.strategy) == (2, Strategy.SPREAD)
    assert host_counts(outcome(BEFORE.snapshot, case).plans) == {"kvm1": 1, "kvm2": 1}
    (found,) = compare_cases(BEFORE.snapshot, without_host("kvm2"), [case])
    assert found.turn is OutcomeChange.NO_LONGER_FITS
    assert "machine 2 does not fit: " in render_changed(found)


def test_the_headline_counts() -> None:
    found = consequences(BEFORE.snapshot, after(eth1="lan/30"), BEFORE.cases[:1])
    headline = "with x: 1 of 3 machines affected, 1 of 1 request no longer fits"
    assert render_headline(["x"], found) == headline
    assert render_headline(["x"], consequences(Snapshot(), Snapshot())) == "with x: there are no machines"


# -- room --------------------------------------------------------------------------------------------------


def test_room_says_how_many_fit_and_what_stops_the_next() -> None:
    request = a_request(interfaces="eth0:space=mgmt", memory_mib=2000)
    found = headroom(BEFORE.snapshot, request, 500)
    assert (found.fit, dict(found.hosts)) == (8, {"kvm1": 4, "kvm2": 4})
    assert render_headroom(found) == (
        "room: 8 of 500 fit (kvm1 ×4, kvm2 ×4); the next: no host fits: not-enough-cores (2)"
    )
    assert room_data(found)["refusal"]["code"] == "no-host-fits"
    few = headroom(BEFORE.snapshot, request, 3)
    assert (few.fit, few.stop) == (3, None)
    assert headroom(after(reachable="false"), request, 500).fit == 4
    assert "without the change 8" in render_headroom(headroom(after(reachable="false"), request, 9), found)


# -- properties --------------------------------------------------------------------------------------------

QUICK = settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(drawn_worlds(), drawn_worlds(), st.randoms(use_true_random=False))
def test_any_two_worlds_can_be_compared(first: dict, second: dict, random: object) -> None:
    for each in first["hosts"]:
        names = [each["name"] for each in each["interfaces"]]
        each["machines"] = [
            {"name": f"m{at}", "interfaces": [{"source": name}]} for at, name in enumerate(names[:2])
        ]
    before, later = read_world(first).snapshot, read_world(second).snapshot
    found = consequences(before, later)
    assert len(found.fates) == len(found.hurt)
    assert all(isinstance(each, Impact) for each in found.harms)
    json.dumps(consequences_data(before, later, found))
    assert consequences(before, before).harms == ()
    shuffled = list(before.hosts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert consequences(replace(before, hosts=tuple(shuffled)), later).harms == found.harms


def changes_of(snapshot: Snapshot) -> dict[str, str | None]:
    """Changes of all kinds that there is something for; those of one host with its name."""
    vlans = [f"{snapshot.fabric_by_id[each.fabric_id].name}/{each.vid}" for each in snapshot.vlans]
    found: dict[str, str | None] = {
        f"{kind}:{vlan}": None for kind in ("lose-vlan", "stop-serving-vlan", "serve-vlan") for vlan in vlans
    }
    for state in snapshot.hosts:
        host, node = state.host.name, snapshot.node_of(state.host)
        found[f"lose-host:{host}"] = found[f"raise-memory-ratio:{host}=0.01"] = host
        for each in node.interfaces if node else ():
            found[f"lose-interface:{host}/{each.name}"] = host
            found[f"link-up:{host}/{each.name}"] = host
            found[f"move-interface:{host}/{each.name}={vlans[0]}"] = host
    return found


@QUICK
@given(drawn_worlds(), st.data())
def test_a_change_hurts_only_where_it_is_made(document: dict, data: st.DataObject) -> None:
    before = read_world(document).snapshot
    possible = changes_of(before)
    text = data.draw(st.sampled_from(sorted(possible)))
    try:
        later = apply(before, parse_change(text))
    except InvalidValue:
        return
    found = consequences(before, later)
    if possible[text] is not None:
        assert {each.host for each in found.harms} <= {possible[text]}
    if text.startswith(("serve-vlan", "link-up")):
        assert found.harms == ()
    for fate in found.fates:
        assert fate.to is None or fate.explanation.chosen == fate.to
        assert not fate.stays or fate.to == fate.host
