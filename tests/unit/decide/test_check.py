"""The independent checker: a legal plan is not so in every other world, nor beside every other plan."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hostloom.decide.check.check import check, check_all
from hostloom.decide.dry_run import identities_of, simulate
from hostloom.decide.placement.compose import decide
from hostloom.decide.placement.make_plan import with_plan
from hostloom.decide.request.resolve import with_texts
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import Correlation, CorrelationState, PlacedInterface, PlacedMachine
from hostloom.model.plan import Plan
from hostloom.model.request import ParsedBatch
from support.a_request import a_request
from support.worlds import world

WORLD = """
world: 1
fabrics: [{name: f, vlans: [{vid: 0, space: mgmt, dhcp: true}]}]
subnets: [{cidr: 10.0.0.0/24, vlan: f/0}]
hosts:
  - {name: kvm1, address: "qemu+ssh://u@10.0.0.101/system", cores: 4, memory_mib: 4096,
     storage_pools: [{name: default, total_gb: 20, free_gb: 20}],
     interfaces: [{name: eth0, vlan: f/0}, {name: br0, type: bridge, vlan: f/0}]}
"""
OWNED = "eth0:attach=macvlan,macvlan_mode=passthru"


def changed_hosts(snapshot: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    state, node = snapshot.hosts[0], snapshot.nodes[0]
    eth0 = PlacedInterface(AttachKind.MACVLAN, "eth0", MacvlanMode.BRIDGE)
    for what, machine in {
        "cores": PlacedMachine("other", 4, 1),
        "memory": PlacedMachine("other", 1, 4096),
        "macvtap": PlacedMachine("other", 1, 1, (eth0,)),
        "disk": PlacedMachine("other", 1, 1, (), {"default": 19 * 10**9}),
    }.items():
        yield what, replace(snapshot, hosts=(replace(state, machines=(machine,)),))
    for what, host in {
        "unreachable": replace(state.host, reachable=False),
        "unknown": replace(state.host, correlation=Correlation()),
        "ambiguous": replace(state.host, correlation=Correlation(CorrelationState.AMBIGUOUS)),
        "emulation": replace(state.host, emulations=()),
        "pool": replace(state.host, storage_pools=()),
    }.items():
        yield what, replace(snapshot, hosts=(replace(state, host=host),))
    for what, change in {
        "link": {"link": False},
        "disabled": {"enabled": False},
        "vlan": {"vlan_id": None},
    }.items():
        nics = tuple(replace(each, **change) for each in node.interfaces)  # type: ignore[arg-type]
        yield what, replace(snapshot, nodes=(replace(node, interfaces=nics),))


def test_a_plan_is_not_legal_in_every_other_world() -> None:
    snapshot, asked = world(WORLD).snapshot, a_request(interfaces=OWNED)
    plan = simulate(snapshot, asked).plan
    assert plan is not None
    assert check(snapshot, asked, plan) == ()
    for what, other in changed_hosts(snapshot):
        assert check(other, asked, plan), what
    unserved_vlans = tuple(replace(each, dhcp_on=False) for each in snapshot.vlans)
    assert check(replace(snapshot, vlans=unserved_vlans), asked, plan)
    assert check(with_plan(snapshot, plan), asked, plan)
    for request in (
        replace(asked, host="kvm2"),
        replace(asked, architecture="s390x"),
        with_texts(asked, interfaces="eth0:space=mgmt,attach=bridge"),
        with_texts(asked, interfaces="eth0:not_space=mgmt"),
        with_texts(asked, interfaces=f"{OWNED};eth1:space=mgmt"),
        with_texts(asked, interfaces="eth0:colour=red"),
        with_texts(asked, storage="root:9"),
        replace(asked, qcow2=True),
        replace(asked, netboot=False),
    ):
        assert check(snapshot, request, plan), request


# -- a batch -----------------------------------------------------------------------------------------------


def two(
    interfaces: str = "eth0:attach=bridge", **more: Any
) -> tuple[Snapshot, ParsedBatch, tuple[Plan, Plan]]:
    """Two machines, each as if it were alone: only together are they wrong."""
    snapshot = world(WORLD).snapshot
    request = a_request(interfaces=interfaces, **more)
    plans = [decide(snapshot, request, identities_of(request, number)).plan for number in (0, 1)]
    assert plans[0] is not None
    assert plans[1] is not None
    return snapshot, ParsedBatch((request, request)), (plans[0], plans[1])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "address"),
        ({"interfaces": "eth0:mode=dhcp", "cores": 3}, "more cores"),
        ({"interfaces": "eth0:mode=dhcp", "memory_mib": 3000}, "more memory"),
        ({"interfaces": "eth0:mode=dhcp", "storage": "root:11"}, "room"),
        ({"interfaces": f"{OWNED},mode=dhcp"}, "shared with a passthru"),
        ({"interfaces": "eth0:mode=dhcp", "anti_affinity": "web"}, "anti-affinity"),
        ({"interfaces": "eth0:mode=dhcp,mac=52:54:00:00:00:01"}, "MAC"),
        ({"interfaces": "eth0:mode=dhcp", "hostname": "web"}, "hostname"),
    ],
)
def test_two_that_are_legal_alone_and_not_together(more: dict[str, Any], words: str) -> None:
    snapshot, batch, plans = two(**more)
    for request, plan in zip(batch.machines, plans, strict=True):
        assert check(snapshot, request, plan) == ()
    wrong = check_all(snapshot, batch, plans)
    assert any(words in each for each in wrong), wrong


def test_two_that_are_legal_together() -> None:
    snapshot, batch, plans = two("eth0:attach=bridge,mode=dhcp", storage="root:10")
    assert check_all(snapshot, batch, plans) == ()
    assert check_all(snapshot, batch, plans[:1])
    assert check_all(snapshot, batch, (plans[0], plans[0]))
