"""Many at once, by hand: who moves for whom, what is refused with which words, and what is told."""

import copy
from typing import Any

import pytest

from hostloom.decide.explain.explain import render
from hostloom.model.plan import JointDecision
from hostloom.model.reasons import RequestCode
from hostloom.model.request import ParsedBatch, ParsedRequest, Strategy
from hostloom.simulation.world_file import read_world
from support.a_request import a_request
from support.batches import batch_of, decided
from support.worlds import world

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


def by_hand(*machines: ParsedRequest, strategy: Strategy | None = None) -> JointDecision:
    return decided(world(THREE_HOSTS).snapshot, ParsedBatch(machines, strategy))


def hosts_of(found: JointDecision) -> list[str]:
    return [each.host_name for each in found.plans]


def machine(interfaces: str = MGMT, memory_mib: int = 2048, **more: Any) -> ParsedRequest:
    return a_request(interfaces=interfaces, memory_mib=memory_mib, **more)


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
    assert "not kvm2: it has a machine of 'web', which must not share a host with this machine" in render(
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
    assert render(pack.explanations[1])[0].endswith("before kvm2: it already has machines of this batch")


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
