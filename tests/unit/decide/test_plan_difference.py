"""Plans held against each other: no field can differ unseen, and each is named as people name it."""

from collections.abc import Iterator
from dataclasses import fields, replace
from ipaddress import ip_address
from typing import Any

import pytest

from hostloom.decide.dry_run import simulate
from hostloom.decide.explain.reason_texts import render_difference
from hostloom.decide.placement.plan_difference import differences
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.ids import MacAddress, SubnetId, VlanId
from hostloom.model.machine import DiskFormat
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.plan import Plan
from hostloom.model.reasons import PlanWarning, WarningCode
from hostloom.model.request import AddressMode
from hostloom.model.stored_plan import PlanDifference
from support.a_request import a_request
from support.worlds import world

WORLD = world(
    """
    world: 1
    fabrics: [{name: f, vlans: [{vid: 10, dhcp: true, space: mgmt}]}]
    subnets: [{cidr: 10.0.0.0/24, vlan: f/10}]
    hosts:
    - name: kvm1
      address: qemu+ssh://root@10.0.0.11/system
      interfaces: [{name: br0, type: bridge, vlan: f/10, addresses: [10.0.0.11]}]
      storage_pools: [{name: default, type: dir, total_gb: 100, free_gb: 60, default: true}]
    """
).snapshot


@pytest.fixture(scope="module")
def plan() -> Plan:
    found = simulate(WORLD, a_request(interfaces="eth0:space=mgmt", storage="root:1,data:2")).plan
    assert found is not None
    return found


#: Grounds of a plan, not what it makes.
GROUNDS = {"revision", "host_generation", "warnings"}


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, AddressMode):
        return AddressMode.UNCONFIGURED
    if isinstance(value, DiskFormat):
        return DiskFormat.QCOW2
    if isinstance(value, MacAddress):
        return MacAddress("52:54:00:ff:ff:ff")
    if isinstance(value, Attachment):
        return Attachment(AttachKind.MACVLAN, "eth9", MacvlanMode.VEPA)
    if isinstance(value, tuple):
        return value[:-1] if value else ("something",)
    if isinstance(value, str):
        return f"{value}x"
    return replace(value, **{(name := fields(value)[0].name): other(getattr(value, name))})


def with_spec(plan: Plan, **changes: Any) -> Plan:
    """The plan with another spec."""
    return replace(plan, spec=replace(plan.spec, **changes))


def mutants(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """The plan with one field changed, at any depth."""
    for each in fields(plan):
        if each.name not in GROUNDS:
            yield each.name, replace(plan, **{each.name: other(getattr(plan, each.name))})
    for each in fields(plan.spec):
        yield (
            f"spec {each.name}",
            replace(plan, spec=replace(plan.spec, **{each.name: other(getattr(plan.spec, each.name))})),
        )
    emulation = plan.spec.emulation
    for each in fields(emulation):
        changed = replace(emulation, **{each.name: other(getattr(emulation, each.name))})
        yield f"emulation {each.name}", replace(plan, spec=replace(plan.spec, emulation=changed))
    for part in ("interfaces", "disks"):
        first, *rest = getattr(plan, part)
        for each in fields(first):
            changed = replace(first, **{each.name: other(getattr(first, each.name))})
            yield f"{part} {each.name}", with_spec(plan, **{part: (changed, *rest)})


def test_a_plan_does_not_differ_from_itself_whatever_it_rests_on(plan: Plan) -> None:
    assert differences(WORLD, plan, plan) == ()
    assert differences(WORLD, plan, replace(plan, revision=99, host_generation=99)) == ()


def test_no_field_can_differ_unseen(plan: Plan) -> None:
    seen = [name for name, _ in mutants(plan)]
    assert len(seen) > 30
    assert [name for name, mutant in mutants(plan) if not differences(WORLD, plan, mutant)] == []


def told(snapshot: Snapshot, plan: Plan, **changes: Any) -> list[str]:
    """The words for changes of the first NIC."""
    first, *rest = plan.interfaces
    subnet_ids = (changes.pop("subnet_ids", plan.subnet_ids[0]), *plan.subnet_ids[1:])
    changed = with_spec(replace(plan, subnet_ids=subnet_ids), interfaces=(replace(first, **changes), *rest))
    return [render_difference(each) for each in differences(snapshot, plan, changed)]


def test_fields_are_named_as_people_name_them(plan: Plan) -> None:
    second = replace(plan, spec=replace(plan.spec, cores=2))
    assert differences(WORLD, plan, second) == (PlanDifference("simulated", "cores", "1", "2"),)
    assert told(WORLD, plan, attachment=Attachment(AttachKind.MACVLAN, "eth1", MacvlanMode.VEPA)) == [
        "simulated eth0 attachment: bridge br0 -> macvlan eth1 (vepa)"
    ]
    assert told(WORLD, plan, vlan_id=None) == ["simulated eth0 vlan: f/10 -> none"]
    assert told(WORLD, plan, vlan_id=VlanId(99)) == ["simulated eth0 vlan: f/10 -> gone"]
    assert told(WORLD, plan, subnet_ids=(SubnetId(9),)) == ["simulated eth0 subnet: 10.0.0.0/24 -> gone"]
    assert told(WORLD, plan, boot=False) == ["simulated eth0 boot: yes -> no"]
    assert told(WORLD, plan, ips=(), subnet_ids=()) == ["simulated eth0 ip: 10.0.0.1 -> none"]
    fewer = with_spec(replace(plan, subnet_ids=()), disks=plan.disks[:1], interfaces=())
    assert [render_difference(each) for each in differences(WORLD, plan, fewer)] == [
        "simulated eth0: there -> none",
        "simulated disk data: there -> none",
    ]


def test_who_has_the_address_is_told(plan: Plan) -> None:
    (ip,), other_ip = plan.interfaces[0].ips, ip_address("10.0.0.77")
    ((subnet,),) = plan.subnet_ids
    for comment, words in (("printer", "taken by reservation 'printer'"), ("", "taken by a reservation")):
        held = HeldAddress(ip, AddressKind.RESERVED, subnet, comment=comment)
        found = told(replace(WORLD, held=(*WORLD.held, held)), plan, ips=(other_ip,))
        assert found == [f"simulated eth0 ip: {ip} -> 10.0.0.77: {words}"]


def test_a_warning_that_has_come_is_a_difference_and_one_that_is_gone_is_none(plan: Plan) -> None:
    warned = replace(plan, warnings=(PlanWarning(WarningCode.ISOLATED_NETWORK, "default"),))
    assert differences(WORLD, warned, plan) == ()
    assert [render_difference(each) for each in differences(WORLD, plan, warned)] == [
        "simulated warning: none -> isolated-network default"
    ]
