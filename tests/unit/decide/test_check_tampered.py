"""The independent checker takes every plan of the planner, and none that was tampered with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostloom.decide.check.check import check
from hostloom.decide.dry_run import simulate
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.ids import HostId, MacAddress, SubnetId, VlanId
from hostloom.model.machine import DiskFormat, MachineInterface
from hostloom.model.network import RangeKind
from hostloom.model.plan import Plan
from hostloom.model.request import AddressMode, ParsedRequest
from hostloom.simulation.sections import Section
from hostloom.simulation.world_file import read_request, read_world
from support.depth import examples
from support.worlds import ACCEPTANCE, drawn_requests, drawn_worlds, easy_requests, load

QUICK = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
MAC = MacAddress("52:54:00:ff:ff:01")


@dataclass(frozen=True)
class Made:
    """A legal plan with the world and the request that it is for."""

    snapshot: Snapshot
    request: ParsedRequest
    plan: Plan


Tamper = Callable[[Made], Iterator[Plan]]


def with_nic(plan: Plan, at: int, **changes: Any) -> Plan:
    """One NIC changed, or the subnets of its addresses."""
    subnet_ids = changes.pop("subnet_ids", plan.subnet_ids[at])
    nic = replace(plan.interfaces[at], **changes)
    return replace(
        with_nics(plan, (*plan.interfaces[:at], nic, *plan.interfaces[at + 1 :])),
        subnet_ids=(*plan.subnet_ids[:at], subnet_ids, *plan.subnet_ids[at + 1 :]),
    )


def with_nics(plan: Plan, nics: tuple[MachineInterface, ...]) -> Plan:
    """Other NICs."""
    return replace(plan, spec=replace(plan.spec, interfaces=nics))


def each_nic(plan: Plan, **changes: Any) -> Iterator[Plan]:
    """The plan with these fields changed on one NIC after the other, where that changes anything."""
    found = (with_nic(plan, at, **changes) for at in range(len(plan.interfaces)))
    return (each for each in found if each != plan)


def each_attachment(plan: Plan, **changes: Any) -> Iterator[Plan]:
    pairs = enumerate(plan.interfaces)
    found = (with_nic(plan, at, attachment=replace(nic.attachment, **changes)) for at, nic in pairs)
    return (each for each in found if each != plan)


def each_disk(plan: Plan, **changes: Any) -> Iterator[Plan]:
    for at, disk in enumerate(plan.disks):
        after = replace(disk, **changes)
        if after != disk:
            disks = (*plan.disks[:at], after, *plan.disks[at + 1 :])
            yield replace(plan, spec=replace(plan.spec, disks=disks))


# -- what can be wrong with a plan -------------------------------------------------------------------------


def other_host(made: Made) -> Iterator[Plan]:
    yield replace(made.plan, host_id=HostId(9999))
    yield replace(made.plan, host_name="elsewhere")


def source_that_is_not_there(made: Made) -> Iterator[Plan]:
    yield from each_attachment(made.plan, source="nowhere0")


def source_that_cannot_serve(made: Made) -> Iterator[Plan]:
    """An interface on another VLAN; the VLAN of the plan stays."""
    node = made.snapshot.node_of(made.snapshot.host_by_id[made.plan.host_id].host)
    for each in node.interfaces if node is not None else ():
        for at, nic in enumerate(made.plan.interfaces):
            if nic.attachment.kind is not AttachKind.NETWORK and each.vlan_id != nic.vlan_id:
                yield with_nic(made.plan, at, attachment=replace(nic.attachment, source=each.name))


def other_kind(made: Made) -> Iterator[Plan]:
    for kind in AttachKind:
        yield from each_attachment(made.plan, kind=kind)


def other_mode(made: Made) -> Iterator[Plan]:
    for mode in (None, *MacvlanMode):
        yield from each_attachment(made.plan, mode=mode)


def other_virtual_port(made: Made) -> Iterator[Plan]:
    yield from each_attachment(made.plan, ovs=not made.plan.interfaces[0].attachment.ovs)


def other_vlan(made: Made) -> Iterator[Plan]:
    for vlan_id in (None, VlanId(9999), *(each.id for each in made.snapshot.vlans)):
        yield from each_nic(made.plan, vlan_id=vlan_id)


def other_address(made: Made) -> Iterator[Plan]:
    """Of no subnet, the network's own, the gateway, one in a range that is not ours, one that is held."""
    for at, nic in enumerate(made.plan.interfaces):
        for subnet_id in made.plan.subnet_ids[at][:1]:
            subnet = made.snapshot.subnet_by_id[subnet_id]
            wrong = {ip_address("203.0.113.251"), *([subnet.gateway] if subnet.gateway else [])}
            wrong |= {each.ip for each in made.snapshot.held if each.subnet_id in (None, subnet_id)}
            if subnet.cidr.num_addresses > 2:
                wrong.add(subnet.cidr.network_address)
            kind = RangeKind.RESERVED if subnet.managed else RangeKind.DYNAMIC
            ranges = made.snapshot.ranges_by_subnet.get(subnet_id, ())
            wrong |= {each.start for each in ranges if each.kind in (kind, RangeKind.DYNAMIC)}
            yield from (with_nic(made.plan, at, ips=(ip, *nic.ips[1:])) for ip in wrong)


def no_address_or_too_many(made: Made) -> Iterator[Plan]:
    extra, home = ip_address("10.0.0.6"), SubnetId(1)
    for at, nic in enumerate(made.plan.interfaces):
        yield with_nic(made.plan, at, ips=(*nic.ips, extra), subnet_ids=(*made.plan.subnet_ids[at], home))
        if nic.ips:
            yield with_nic(made.plan, at, ips=(), subnet_ids=())
            yield with_nic(made.plan, at, subnet_ids=())


def other_subnet(made: Made) -> Iterator[Plan]:
    for at, (first, *rest) in ((at, ids) for at, ids in enumerate(made.plan.subnet_ids) if ids):
        for subnet_id in (SubnetId(9999), *(subnet.id for subnet in made.snapshot.subnets)):
            if subnet_id != first:
                yield with_nic(made.plan, at, subnet_ids=(subnet_id, *rest))


def other_address_mode(made: Made) -> Iterator[Plan]:
    for mode in AddressMode:
        yield from each_nic(made.plan, mode=mode)


def other_boot_nic(made: Made) -> Iterator[Plan]:
    for boot in (True, False):
        yield from each_nic(made.plan, boot=boot)


def other_netboot(made: Made) -> Iterator[Plan]:
    plan = made.plan
    yield replace(plan, spec=replace(plan.spec, netboot=not plan.spec.netboot))


def other_nics(made: Made) -> Iterator[Plan]:
    plan = made.plan
    yield with_nics(plan, plan.interfaces[1:])
    yield replace(with_nics(plan, plan.interfaces[1:]), subnet_ids=plan.subnet_ids[1:])
    yield replace(plan, subnet_ids=plan.subnet_ids[1:])
    yield from each_nic(plan, name="eth99")
    yield from each_nic(plan, model="e1000")
    if len(plan.interfaces) > 1:
        yield from list(each_nic(plan, mac=plan.interfaces[0].mac))


def other_spec(made: Made) -> Iterator[Plan]:
    """The spec is not what the request asks for, or not what the host has."""
    plan, spec = made.plan, made.plan.spec
    yield replace(plan, spec=replace(spec, interfaces=()))
    yield replace(plan, spec=replace(spec, disks=()))
    yield replace(plan, spec=replace(spec, cores=spec.cores + 1))
    yield replace(plan, spec=replace(spec, memory_mib=spec.memory_mib + 1))
    yield replace(plan, spec=replace(spec, emulation=replace(spec.emulation, architecture="s390x")))
    yield replace(plan, spec=replace(spec, emulation=replace(spec.emulation, emulator="/bin/false")))
    yield replace(plan, start=not plan.start)


def other_disks(made: Made) -> Iterator[Plan]:
    plan = made.plan
    yield replace(plan, spec=replace(plan.spec, disks=()))
    yield from each_disk(plan, pool="nowhere")
    yield from each_disk(plan, size_bytes=plan.disks[0].size_bytes + 1)
    yield from each_disk(plan, size_bytes=10**18)
    yield from each_disk(plan, volume="another-machine.raw")
    yield from each_disk(plan, name="other")
    yield from each_disk(plan, format=DiskFormat.QCOW2)
    if len(plan.disks) > 1:
        yield from list(each_disk(plan, volume=plan.disks[0].volume))


TAMPERS: tuple[Tamper, ...] = (
    other_host,
    source_that_is_not_there,
    source_that_cannot_serve,
    other_kind,
    other_mode,
    other_virtual_port,
    other_vlan,
    other_address,
    no_address_or_too_many,
    other_subnet,
    other_address_mode,
    other_boot_nic,
    other_netboot,
    other_nics,
    other_spec,
    other_disks,
)


def made_from(snapshot: Snapshot, request: ParsedRequest) -> Made | None:
    plan = simulate(snapshot, request).plan
    return None if plan is None else Made(snapshot, request, plan)


MADE = [
    made
    for path in sorted(ACCEPTANCE.rglob("*.yaml"))
    for found in [load(path)]
    for case in found.cases
    if (made := made_from(found.snapshot, case.request)) is not None
]


@pytest.mark.parametrize("tamper", TAMPERS)
def test_no_plan_of_the_world_files_can_be_tampered_with(tamper: Tamper) -> None:
    tampered = [(made, plan) for made in MADE for plan in tamper(made)]
    assert tampered
    for made, plan in tampered:
        assert plan != made.plan
        assert check(made.snapshot, made.request, plan), plan


@QUICK
@given(drawn_worlds(), st.one_of(easy_requests(), drawn_requests()))
def test_no_plan_of_any_world_can_be_tampered_with(document: dict[str, Any], request: dict[str, Any]) -> None:
    made = made_from(read_world(document).snapshot, read_request(Section(request, ())))
    if made is None:
        return
    assert check(made.snapshot, made.request, made.plan) == ()
    for tamper in TAMPERS:
        for plan in tamper(made):
            assert check(made.snapshot, made.request, plan), (tamper.__name__, plan)
