"""Explanations read like an expert's answer: short where the case is common, complete where it is not."""

import json
from dataclasses import replace

from hostloom.decide.dry_run import identities_of, simulate
from hostloom.decide.explain.explain import render
from hostloom.decide.explain.reason_texts import HOST_REASONS, REASONS, REFUSALS, REJECTIONS, WARNINGS
from hostloom.decide.placement import compose
from hostloom.model.plan import STORED_NAMES, Decision, Explanation, HostGroup
from hostloom.model.reasons import RejectionCode, RequestCode, WarningCode
from hostloom.model.request import Identities, ParsedRequest
from hostloom.serialization import from_json, to_json
from support.a_request import a_request
from support.worlds import world

COMMON = world("""
world: 1
fabrics:
  - name: fabric-0
    vlans: [{vid: 0, space: mgmt, dhcp: true}, {vid: 20, space: dmz, dhcp: true}]
subnets: [{cidr: 10.0.20.0/24, vlan: fabric-0/20}]
hosts:
  - name: kvm1
    address: qemu+ssh://u@10.0.0.5/system
    facts_age_s: 12
    interfaces:
      - {name: lo, type: loopback}
      - {name: eth0, type: physical, vlan: fabric-0/0}
      - {name: eth1, type: physical, vlan: fabric-0/20}
      - {name: br0, type: bridge, parents: [eth0], vlan: fabric-0/0}
      - {name: br20, type: bridge, vlan: fabric-0/20}
  - name: kvm2
    address: qemu+ssh://u@10.0.0.6/system
    memory_mib: 8192
    interfaces: [{name: br20, type: bridge, vlan: fabric-0/20}]
  - name: kvm3
    address: qemu+ssh://u@10.0.0.7/system
    interfaces: [{name: br0, type: bridge, vlan: fabric-0/0}]
""").snapshot


def test_the_common_case_takes_few_lines() -> None:
    decision = simulate(COMMON, a_request(interfaces="eth0:space=dmz"))
    assert render(decision.explanation, 0.0) == [
        "host kvm1: 14336 MiB and 7 cores left; before kvm2: more memory left (read 12 s ago)",
        "eth0: bridge br20, VLAN fabric-0/20 (dmz), 10.0.20.1, boots: a bridge comes before a NIC",
        "  alternatives: eth1",
        "  not space=dmz: br0 (fabric-0/0 (mgmt))",
        "not usable: lo (the loopback), eth0 (a member of br0: use br0)",
        "other suitable hosts: kvm2",
        "not kvm3: no interface or network meets eth0:space=dmz",
    ]


def test_one_host_is_told_without_comparison() -> None:
    decision = simulate(COMMON, a_request(host="kvm3", interfaces="eth0:vid=0,macvlan_mode=vepa"))
    assert render(decision.explanation) == [
        "refused: no interface or network meets eth0:vid=0,macvlan_mode=vepa",
        "eth0: nothing",
        "  not attach=macvlan: br0 (bridge)",
    ]


def decide_as_of_many(request: ParsedRequest) -> Decision:
    """As if there were too many hosts to explain each."""
    return compose.decide(COMMON, request, identities_of(request, 0), few=0)


def test_of_many_hosts_the_others_are_told_by_code() -> None:
    decision = decide_as_of_many(a_request(interfaces="eth0:space=dmz", memory_mib=10000))
    refused = decide_as_of_many(a_request(interfaces="eth0:space=dmz", memory_mib=100000))
    assert render(decision.explanation)[-2:] == [
        "not, for no-matching-interface: kvm3",
        "not, for not-enough-memory: kvm2",
    ]
    assert len(refused.explanation.hosts) == compose.FURTHEST
    assert render(refused.explanation)[0] == "refused: no host fits"


def test_a_long_list_is_counted() -> None:
    names = tuple(f"kvm{n}" for n in range(1, 1001))
    told = Explanation(None, others=(HostGroup(None, 1000, names),))
    assert render(replace(told, chosen="kvm0"))[-1].endswith("kvm8 and 992 more")


def test_what_is_stored_does_not_grow_with_the_fleet() -> None:
    names = tuple(f"kvm{n}" for n in range(5000))
    told = Explanation("kvm0", others=(HostGroup(RequestCode.POOL_FULL, 5000, names),))
    stored = json.loads(json.dumps(to_json(told.shortened())))
    assert stored["others"] == [{"code": "pool-full", "count": 5000, "hosts": list(names[:STORED_NAMES])}]
    again = from_json(stored, Explanation)
    assert again.others[0].count == 5000


def test_every_code_has_its_words() -> None:
    assert set(REFUSALS) == set(RequestCode)
    assert set(REJECTIONS) == set(RejectionCode)
    assert set(WARNINGS) == set(WarningCode)


def test_every_reason_has_its_words() -> None:
    identities = Identities(COMMON.nodes[0].system_id, "x", "0" * 36, (), None)
    decision = compose.decide(COMMON, a_request(), identities)
    names = {name for host in decision.explanation.hosts for name, _ in host.score}
    assert names <= set(HOST_REASONS)
    told = {reason for host in decision.explanation.hosts for each in host.labels for reason in each.reasons}
    assert told <= set(REASONS)
