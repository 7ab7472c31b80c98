"""Imports on both databases: what is written, under which ids, once only, and taken back as a whole."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors.outside import DhcpRejected
from hostloom.model.errors.resources import InUse
from hostloom.model.grouping import Zone
from hostloom.model.host import CorrelationState, Host
from hostloom.model.ids import (
    DomainId,
    FabricId,
    HostId,
    MacAddress,
    RackId,
    RangeId,
    SubnetId,
    SystemId,
    TagId,
    VlanId,
    ZoneId,
)
from hostloom.model.import_plan import ImportAction, ImportChange
from hostloom.model.machine import MachineOrigin, MachineState, PowerState
from hostloom.model.network import AddressKind, Fabric, IPRange, RangeKind, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeKind
from hostloom.model.observed import ObservedInterface, ObservedLink, ObservedMachine, ObservedNetwork
from hostloom.model.rack import Rack
from hostloom.model.source_inventory import SourceInventory
from hostloom.ports.store import Store, UnitOfWork
from hostloom.sagas.import_records import revert_records, write_records
from hostloom.services import imports
from support.imports import an_estate, import_world, summary
from support.maas_estate import TEST_UUID

KVM1 = "qemu+ssh://ubuntu@10.0.0.5/system"


def test_everything_under_its_own_id(store: Store) -> None:
    world = import_world(store)
    world.run(an_estate())
    with store.begin() as uow:
        assert {each.name: each.id for each in uow.fabrics.list()} == {"physical": 1, "fabric-0": 0}
        shown = [(each.id, each.fabric_id, each.vid, each.name, each.mtu) for each in uow.vlans.list()]
        assert shown == [
            (5001, 0, 0, "untagged", 1500),
            (5002, 1, 0, "untagged", 1500),
            (5003, 1, 20, "dmz", 9000),
            (5004, 1, 30, "far", 1500),
        ]
        dmz, far = uow.vlans.get(VlanId(5003)), uow.vlans.get(VlanId(5004))
        assert (dmz.space_id, dmz.dhcp_on, far.relay_vlan_id) == (1, False, 5003)
        subnets = {str(each.cidr): (each.id, each.vlan_id, each.managed) for each in uow.subnets.list()}
        assert subnets == {
            "10.0.0.0/24": (1, 5001, True),
            "10.0.20.0/24": (2, 5003, True),
            "10.0.30.0/24": (3, 5004, False),
        }
        assert [(each.id, each.kind) for each in uow.ranges.list()] == [
            (1, RangeKind.DYNAMIC),
            (2, RangeKind.RESERVED),
        ]
        assert {each.name: each.id for each in uow.resource_pools.list()} == {"default": 0, "web": 1}
        assert [(domain.id, domain.name) for domain in uow.domains.list()] == [(0, "maas")]
        kvm1 = uow.nodes.get(SystemId("kvm001"))
        assert [(nic.id, nic.name) for nic in kvm1.interfaces] == [
            (10, "eth0"),
            (11, "eth1"),
            (12, "br0"),
            (13, "eth1.20"),
        ]
        kinds = {each.hostname: each.kind for each in uow.nodes.list()}
        assert (kinds["maas"], kinds["printer"]) == (NodeKind.REGION_AND_RACK_CONTROLLER, NodeKind.DEVICE)
        metal = uow.machines.get(SystemId("mt0001"))
        assert (metal.hostname, metal.origin, metal.state) == (
            "metal",
            MachineOrigin.ENLISTED,
            MachineState.READY,
        )
        held = {str(each.ip): (each.kind, each.system_id) for each in uow.addresses.list()}
        assert held == {
            "10.0.0.2": (AddressKind.OBSERVED, "abc001"),
            "10.0.0.5": (AddressKind.OBSERVED, "kvm001"),
            "10.0.0.50": (AddressKind.STATIC, "dev001"),
            "10.0.0.60": (AddressKind.AUTO, "lxd00v"),
            "10.0.20.50": (AddressKind.AUTO, "4y3h7n"),
            "10.0.20.60": (AddressKind.RESERVED, None),
        }


def test_a_second_time_there_is_nothing_to_do(store: Store) -> None:
    world = import_world(store)
    only = replace(an_estate(), hosts=())
    assert ImportAction.CREATE in summary(world.run(only).plan)
    with store.begin() as uow:
        before = uow.snapshot()
    again = world.run(only).plan
    assert again.wanted == ()
    assert summary(again)[ImportAction.SAME] == len(an_estate().vlans) + 27
    with store.begin() as uow:
        assert uow.snapshot() == before


def test_new_ids_come_after_the_imported_ones(store: Store) -> None:
    import_world(store).run(an_estate())
    with store.begin() as uow:
        fabric = uow.fabrics.add(Fabric(FabricId(0), "new"))
        assert fabric.id == 2
        assert uow.vlans.add(Vlan(VlanId(0), fabric.id, 7, "seven")).id == 5006
        far = uow.subnets.get(SubnetId(3))
        start = ip_address("10.0.30.9")
        assert uow.ranges.add(IPRange(RangeId(0), far.id, RangeKind.RESERVED, start, start)).id == 3


def test_a_preview_changes_nothing(store: Store) -> None:
    with store.begin() as uow:
        before = uow.snapshot()
        plan = imports.preview(uow, LOCAL_ADMIN, an_estate())
    assert summary(plan)[ImportAction.CREATE] > 20
    assert plan.unserved == ("physical/20",)
    with store.begin() as uow:
        assert uow.snapshot() == before


def test_a_dhcp_server_that_refuses_has_it_all_taken_back(store: Store) -> None:
    """New networks on a VLAN that our DHCP already serves are published to it."""
    world = import_world(store)
    estate = an_estate()
    only = {
        "fabrics": tuple(each for each in estate.fabrics if each.id == 1),
        "vlans": tuple(each for each in estate.vlans if each.fabric_id == 1),
        "subnets": tuple(each for each in estate.subnets if each.id == 2),
    }
    world.run(SourceInventory("a part", **only))  # type: ignore[arg-type]  # of each field's type
    with store.begin() as uow:
        rack = uow.nodes.add(Node(SystemId("rack01"), "rack", NodeKind.RACK_CONTROLLER))
        uow.racks.add(Rack(RackId(0), "rack", rack.system_id))
        uow.vlans.update(replace(uow.vlans.get(VlanId(5003)), dhcp_on=True))
        uow.commit()
        before, groups = uow.snapshot(), _groups(uow)
    world.dhcp.faults.append(DhcpRejected("it does not like it"))
    failed = world.run(estate).operation
    assert (failed.state, failed.error_code) == ("failed", DhcpRejected.code)
    with store.begin() as uow:
        after = uow.snapshot()
        assert _groups(uow) == groups
    assert _bare(after) == _bare(before)
    assert {each.cidr for each in after.subnets} == {ip_network("10.0.20.0/24")}
    world.run(estate)
    assert world.dhcp.intent is not None
    assert [str(pool.start) for each in world.dhcp.intent.subnets for pool in each.pools] == ["10.0.20.100"]


def test_ids_are_taken_back_too(store: Store) -> None:
    """If the DHCP server refuses new networks on a served VLAN, automatic networks are restored."""
    world = import_world(store)
    estate = an_estate()
    only = {
        "fabrics": tuple(fabric for fabric in estate.fabrics if fabric.id == 1),
        "vlans": tuple(vlan for vlan in estate.vlans if vlan.fabric_id == 1),
        "subnets": tuple(subnet for subnet in estate.subnets if subnet.id == 2),
    }
    world.run(SourceInventory("a part", **only))  # type: ignore[arg-type]  # of each field's type
    with store.begin() as uow:
        rack = uow.nodes.add(Node(SystemId("rack01"), "rack", NodeKind.RACK_CONTROLLER))
        uow.racks.add(Rack(RackId(0), "rack", rack.system_id))
        uow.vlans.update(replace(uow.vlans.get(VlanId(5003)), dhcp_on=True))
        seen = uow.fabrics.add(Fabric(FabricId(7), "fabric-7", automatic=True), VlanId(9))
        cidr = ip_network("172.16.0.0/24")
        uow.subnets.add(Subnet(SubnetId(3), cidr, VlanId(9), str(cidr), automatic=True))
        uow.commit()
        before = uow.snapshot()
    world.dhcp.faults.append(DhcpRejected("it does not like it"))
    failed = world.run(estate).operation
    assert (failed.state, failed.error_code) == ("failed", DhcpRejected.code)
    with store.begin() as uow:
        assert _bare(uow.snapshot()) == _bare(before)
    moved = [change.ours for change in world.run(estate).plan.changes if "gives-way" in _codes(change)]
    assert moved == ["4"]
    with store.begin() as uow:
        assert str(uow.subnets.get(SubnetId(3)).cidr) == "10.0.30.0/24"
        assert uow.fabrics.get(seen.id).name == "fabric-7"


def _codes(change: ImportChange) -> list[str]:
    return [remark.code for remark in change.remarks]


def test_a_revert_keeps_what_was_changed_since(store: Store) -> None:
    """An import that is undone takes back only its own values."""
    with store.begin() as uow:
        zone = uow.zones.add(Zone(ZoneId(2), "east"))
        uow.commit()
        before = replace(zone, description="mine")
    with store.begin() as uow:
        plan = imports.preview(uow, LOCAL_ADMIN, replace(an_estate(), hosts=()), prefer_theirs=True)
        written = write_records(uow, plan)
        assert uow.zones.get(zone.id).description == "the new hall"
        uow.zones.update(replace(uow.zones.get(zone.id), description="mine"))
        uow.domains.update(replace(uow.domains.get(DomainId(0)), description="changed"))
        uow.tags.delete(TagId(1))
        revert_records(uow, written)
        after = uow.zones.list()
        assert replace(uow.zones.get(zone.id), generation=1) == before
        assert [(domain.id, domain.description) for domain in uow.domains.list()] == [(1, "changed")]
        assert len(after) == 2
        assert uow.fabrics.list() == []
        assert uow.machines.list() == []


def test_a_record_that_is_needed_by_now_is_not_reverted(store: Store) -> None:
    """The operation is stuck, and can be retried when the record is free."""
    with store.begin() as uow:
        plan = imports.preview(uow, LOCAL_ADMIN, replace(an_estate(), hosts=()))
        written = write_records(uow, plan)
        uow.hosts.add(Host(HostId(0), "other", "test:///default", zone_id=ZoneId(2)))
        with pytest.raises(InUse, match="east"):
            revert_records(uow, written)


def _groups(uow: UnitOfWork) -> list[list[str]]:
    return [
        [each.name for each in some.list()] for some in (uow.zones, uow.resource_pools, uow.domains, uow.tags)
    ]


def _bare(snapshot: Snapshot) -> tuple[object, ...]:
    """All that is in it, but for how often it was changed."""
    kinds = (snapshot.fabrics, snapshot.vlans, snapshot.spaces, snapshot.subnets, snapshot.ranges)
    bare = [sorted((replace(each, generation=1) for each in some), key=lambda one: one.id) for some in kinds]  # type: ignore[attr-defined, type-var]  # all have both
    return (*bare, sorted(snapshot.held, key=str), sorted(snapshot.nodes, key=lambda one: one.system_id))


def test_the_machines_of_a_host_are_found_under_their_own_ids(store: Store) -> None:
    world = import_world(store)
    estate = an_estate()
    only = tuple(replace(each, uri=KVM1) for each in estate.hosts if each.name == "kvm1")
    world.scanner.networks[KVM1] = ObservedNetwork(
        "kvm1",
        (
            _nic("eth0", "02:00:00:00:00:10"),
            _nic("eth1", "02:00:00:00:00:11"),
            replace(
                _nic("br0", "02:00:00:00:00:10"),
                kind=InterfaceKind.BRIDGE,
                addresses=(ip_interface("10.0.0.5/24"),),
                parents=("eth0",),
            ),
            replace(
                _nic("eth1.20", "02:00:00:00:00:11"), kind=InterfaceKind.VLAN, parents=("eth1",), tag_vid=20
            ),
        ),
    )
    there = world.hypervisors.of("kvm1", KVM1)
    running = ObservedMachine(
        "11111111-2222-4333-8444-555555555555",
        "old-name",
        2,
        2048,
        PowerState.ON,
        "amd64",
        (
            _guest_nic("52:54:00:aa:bb:02", "br0"),
            _guest_nic("52:54:00:aa:bb:01", "eth1.20", AttachKind.MACVLAN),
        ),
    )
    there.add_machine(running)
    before = there.world()
    result = world.run(replace(estate, hosts=only))
    assert result.hosts_added == ("kvm1",), result.hosts
    assert there.world() == before
    with store.begin() as uow:
        host = uow.hosts.get(HostId(1))
        assert (host.name, host.default_macvlan_mode, host.cpu_over_commit_ratio) == ("kvm1", "vepa", 2.0)
        assert (host.correlation.state, host.correlation.system_id) == (CorrelationState.CORRELATED, "kvm001")
        node = uow.nodes.get(SystemId("kvm001"))
        assert {nic.name: (nic.id, nic.vlan_id) for nic in node.interfaces} == {
            "br0": (12, 5001),
            "eth0": (10, 5001),
            "eth1": (11, 5002),
            "eth1.20": (13, 5003),
        }
        machine = uow.machines.get(SystemId("4y3h7n"))
        assert (machine.hostname, machine.origin, machine.state) == (
            "vm1",
            MachineOrigin.ADOPTED,
            MachineState.DEPLOYED,
        )
        assert (machine.host_id, machine.owner, machine.locked) == (1, "ann", True)
        assert machine.uuid == running.uuid
        east = uow.zones.find("east")
        assert east is not None
        assert (machine.zone_id, machine.tags) == (east.id, ("virtual", "pod-console-logging"))
        shown = [(nic.name, nic.vlan_id, [str(ip) for ip in nic.ips]) for nic in machine.interfaces]
        assert shown == [("eth1", 5001, []), ("eth0", 5003, ["10.0.20.50"])]
    again = world.run(replace(estate, hosts=only))
    assert again.plan.wanted == ()
    assert again.hosts == ()


def test_a_machine_is_found_by_its_uuid_too(store: Store) -> None:
    world = import_world(store)
    estate = an_estate()
    only = tuple(replace(each, uri=KVM1) for each in estate.hosts if each.name == "kvm1")
    machine = ObservedMachine(TEST_UUID, "new-nic", 2, 2048, PowerState.OFF, "amd64")
    world.hypervisors.of("kvm1", KVM1).add_machine(machine)
    world.run(replace(estate, hosts=only))
    with store.begin() as uow:
        found = uow.machines.get(SystemId("4y3h7n"))
    assert (found.hostname, found.origin, found.power) == ("vm1", MachineOrigin.ADOPTED, PowerState.OFF)
    assert found.zone_id != ZoneId(1)


def _nic(name: str, mac: str) -> ObservedLink:
    return ObservedLink(name, InterfaceKind.PHYSICAL, MacAddress(mac), True, True, 1500)


def _guest_nic(mac: str, source: str, kind: AttachKind = AttachKind.BRIDGE) -> ObservedInterface:
    return ObservedInterface(MacAddress(mac), Attachment(kind, source))
