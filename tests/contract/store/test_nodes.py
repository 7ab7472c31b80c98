"""Nodes, hosts and machines: names over both, what a scan keeps, who keeps whom."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest

from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.errors.values import InvalidValue
from hostloom.model.grouping import Tag, Zone
from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState
from hostloom.model.ids import HostId, InterfaceId, MacAddress, SystemId, TagId, VlanId, ZoneId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState, PowerState
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind, VlanSource
from hostloom.ports.store import Reservation, Store
from support.stored import EXPLANATION, a_host, a_plan, store_world

N1, N2 = SystemId("n00001"), SystemId("n00002")


def a_nic(name: str, *addresses: str, vlan_id: VlanId | None = None) -> NodeInterface:
    return NodeInterface(
        InterfaceId(0),
        name,
        InterfaceKind.PHYSICAL,
        MacAddress("52:54:00:00:00:01"),
        vlan_id,
        VlanSource.NONE if vlan_id is None else VlanSource.SUBNET,
        tuple(ip_interface(each) for each in addresses),
    )


def a_node(system_id: SystemId, hostname: str, *nics: NodeInterface) -> Node:
    return Node(system_id, hostname, NodeKind.DEVICE, nics)


def a_machine(number: int, host_id: HostId | None, origin: MachineOrigin, mac: str = "") -> Machine:
    nic = MachineInterface(
        "eth0",
        MacAddress(mac or f"52:54:00:aa:00:{number:02x}"),
        Attachment(AttachKind.BRIDGE, "br0"),
    )
    return Machine(
        SystemId(f"x{number:05d}"),
        f"old{number}",
        f"uuid-{number}",
        origin,
        MachineState.READY,
        host_id,
        "amd64",
        1,
        1024,
        PowerState.ON,
        (nic,),
    )


def test_a_scan_keeps_ids_and_the_operators_word(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        node = uow.nodes.add(a_node(N1, "n1", a_nic("eth0", "10.0.0.4/24"), a_nic("eth1"), a_nic("eth2")))
        eth0, eth1, _ = node.interfaces
        word = replace(eth1, vlan_id=world.vlan.id, vlan_source=VlanSource.OPERATOR, tags=("uplink",))
        node = uow.nodes.update_interface(N1, word)
        assert node.interfaces[1] == word
        seen = (a_nic("br0", "10.0.0.4/24"), replace(a_nic("eth1", "fd00::4/64"), mtu=9000), a_nic("eth0"))
        node = uow.nodes.replace_interfaces(N1, seen)
        uow.commit()
    with store.begin() as uow:
        assert uow.nodes.get(N1) == node
    br0, kept, moved = node.interfaces
    assert [each.name for each in node.interfaces] == ["br0", "eth1", "eth0"]
    assert (kept.id, kept.vlan_id, kept.vlan_source, kept.tags) == (
        eth1.id,
        world.vlan.id,
        VlanSource.OPERATOR,
        ("uplink",),
    )
    assert (kept.mtu, kept.addresses) == (9000, (ip_interface("fd00::4/64"),))
    assert (moved.id, moved.addresses) == (eth0.id, ())
    assert br0.id > max(each.id for each in (eth0, eth1))


def test_a_scan_that_finds_nothing_new_changes_nothing(store: Store) -> None:
    with store.begin() as uow:
        node = uow.nodes.add(a_node(N1, "n1", a_nic("eth0", "10.0.0.4/24")))
        assert uow.nodes.replace_interfaces(N1, (a_nic("eth0", "10.0.0.4/24"),)) == node


def test_interfaces_of_others_and_unknown_vlans_are_refused(store: Store) -> None:
    with store.begin() as uow:
        node = uow.nodes.add(a_node(N1, "n1", a_nic("eth0")))
        uow.nodes.add(a_node(N2, "n2", a_nic("eth0")))
        with pytest.raises(NotFound, match="interface"):
            uow.nodes.update_interface(N2, node.interfaces[0])
        with pytest.raises(NotFound, match="VLAN 99"):
            uow.nodes.update_interface(N1, replace(node.interfaces[0], vlan_id=VlanId(99)))
        with pytest.raises(NotFound, match="VLAN 99"):
            uow.nodes.replace_interfaces(N1, (a_nic("eth7", vlan_id=VlanId(99)),))
        with pytest.raises(NotFound, match="node"):
            uow.nodes.replace_interfaces(SystemId("zzzzzz"), ())
        assert uow.nodes.get(N1) == node


def test_update_leaves_interfaces_alone_and_checks_the_generation(store: Store) -> None:
    with store.begin() as uow:
        node = uow.nodes.add(a_node(N1, "n1", a_nic("eth0")))
        uow.nodes.update(replace(node, hostname="renamed", interfaces=()))
        assert uow.nodes.get(N1) == replace(node, hostname="renamed", generation=2)
        assert uow.nodes.find("n1") is None
        with pytest.raises(StaleGeneration):
            uow.nodes.update(node)


def test_what_is_seen_on_interfaces_is_held(store: Store) -> None:
    """The interface's own VLAN decides between subnets of two fabrics; loopback belongs to no subnet."""
    world = store_world(store)
    with store.begin() as uow:
        nics = (a_nic("eth0", "10.0.0.4/24", vlan_id=world.vlan.id), a_nic("lo", "127.0.0.1/8", "::1/128"))
        uow.nodes.add(a_node(N1, "n1", *nics, a_nic("eth1", "192.0.2.1/24")))
        uow.commit()
        expected = [
            HeldAddress(ip_address("10.0.0.4"), AddressKind.OBSERVED, world.subnet.id, N1, "eth0"),
            HeldAddress(ip_address("192.0.2.1"), AddressKind.OBSERVED, None, N1, "eth1"),
        ]
        assert uow.addresses.list() == expected
        assert uow.addresses.list(world.subnet.id) == expected[:1]
        with pytest.raises(InvalidValue, match="observed"):
            uow.addresses.hold(expected[0])
        uow.nodes.delete(N1)
        assert uow.addresses.list() == []


def test_addresses_are_held_once_and_listed_in_order(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        for text in ("10.0.0.100", "10.0.0.9"):
            uow.addresses.hold(HeldAddress(ip_address(text), AddressKind.RESERVED, world.subnet.id))
        uow.addresses.hold(HeldAddress(ip_address("fd00::1"), AddressKind.STATIC))
        uow.addresses.hold(HeldAddress(ip_address("9.9.9.9"), AddressKind.STATIC))
        assert [str(each.ip) for each in uow.addresses.list()] == [
            "9.9.9.9",
            "10.0.0.9",
            "10.0.0.100",
            "fd00::1",
        ]
        for again in (HeldAddress(ip_address("fd00::1"), AddressKind.RESERVED), uow.addresses.list()[1]):
            with pytest.raises(AlreadyExists, match="set aside"):
                uow.addresses.hold(again)
        uow.addresses.release(ip_address("10.0.0.9"), world.subnet.id)
        uow.addresses.release(ip_address("10.0.0.9"), world.subnet.id)
        uow.addresses.release(ip_address("fd00::1"), None)
        assert [str(each.ip) for each in uow.addresses.list()] == ["9.9.9.9", "10.0.0.100"]


def test_leases_are_replaced_as_a_whole_and_share_addresses(store: Store) -> None:
    world = store_world(store)
    leases = [HeldAddress(ip_address(f"10.0.0.{n}"), AddressKind.LEASE, world.subnet.id) for n in (1, 2, 3)]
    with store.begin() as uow:
        uow.addresses.hold(HeldAddress(leases[0].ip, AddressKind.RESERVED, world.subnet.id))
        uow.addresses.replace_leases(leases[:2])
        uow.commit()
        revision = uow.snapshot().revision
        uow.addresses.replace_leases(leases[:2])
        uow.commit()
        assert uow.snapshot().revision == revision
        uow.addresses.replace_leases(leases[1:])
        uow.addresses.release(leases[1].ip, world.subnet.id)
        found = [(str(each.ip)[-1], each.kind) for each in uow.addresses.list()]
        assert found == [("1", AddressKind.RESERVED), ("2", AddressKind.LEASE), ("3", AddressKind.LEASE)]
        uow.subnets.find("lab")
        uow.addresses.release(leases[0].ip, world.subnet.id)
        uow.subnets.delete(world.subnet.id)
        assert uow.addresses.list() == []


def test_hosts_are_unique_by_name_and_uri_and_keep_their_node(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        uow.nodes.add(a_node(N1, "n1"))
        match = Correlation(
            CorrelationState.CORRELATED, N1, CorrelationEvidence.ADDRESS, "10.0.0.4", (N1, N2)
        )
        host = uow.hosts.update(replace(world.host, correlation=match))
        assert uow.hosts.get(host.id) == host
        with pytest.raises(InUse, match="host kvm1"):
            uow.nodes.delete(N1)
        with pytest.raises(AlreadyExists, match="host 'kvm1'"):
            uow.hosts.add(a_host("kvm1", uri="qemu:///system"))
        with pytest.raises(AlreadyExists, match="host 'qemu\\+ssh://root@kvm1/system'"):
            uow.hosts.add(a_host("kvm2", uri=world.host.uri))
        with pytest.raises(NotFound, match="node 'n00002'"):
            uow.hosts.add(a_host("kvm2", correlation=replace(match, system_id=N2)))


def test_a_host_with_composed_machines_stays_adopted_ones_go_with_it(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        uow.machines.add(a_machine(1, world.host.id, MachineOrigin.ADOPTED))
        composed = uow.reserve(
            [Reservation(a_plan(world, 2, revision=uow.snapshot().revision), EXPLANATION)]
        )[0]
        with pytest.raises(InUse) as refused:
            uow.hosts.delete(world.host.id)
        assert refused.value.by == ("machine vm2",)
        uow.release([composed.system_id])
        uow.hosts.delete(world.host.id)
        assert (uow.hosts.list(), uow.machines.list(), uow.nodes.list()) == ([], [], [])
        uow.commit()
        assert uow.snapshot().hosts == ()


def test_machines_are_nodes_and_names_are_unique_over_both(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        machine = uow.machines.add(a_machine(1, world.host.id, MachineOrigin.ADOPTED))
        assert uow.nodes.get(machine.system_id).hostname == "old1"
        uow.nodes.add(a_node(N1, "n1"))
        with pytest.raises(AlreadyExists, match="'old1'"):
            uow.nodes.add(a_node(N2, "old1"))
        with pytest.raises(AlreadyExists, match="machine 'n1'"):
            uow.machines.add(replace(a_machine(2, world.host.id, MachineOrigin.ADOPTED), hostname="n1"))
        with pytest.raises(AlreadyExists, match="machine 'n1'"):
            uow.machines.update(replace(machine, hostname="n1"))
        with pytest.raises(InUse, match="machine old1"):
            uow.nodes.delete(machine.system_id)
        assert uow.machines.find_by_uuid(world.host.id, "uuid-1") == machine
        assert uow.machines.find("old1") == machine
        assert uow.machines.of_host(world.host.id) == [machine]
        with pytest.raises(AlreadyExists, match="uuid-1"):
            uow.machines.add(replace(a_machine(3, world.host.id, MachineOrigin.ADOPTED), uuid="uuid-1"))
        assert uow.machines.explanation(machine.system_id) is None


def test_macs_of_our_machines_are_unique_those_of_adopted_ones_are_as_they_are(store: Store) -> None:
    world = store_world(store)
    mac = "52:54:00:aa:bb:cc"
    with store.begin() as uow:
        for number in (1, 2):
            uow.machines.add(a_machine(number, world.host.id, MachineOrigin.ADOPTED, mac))
        uow.machines.add(a_machine(3, None, MachineOrigin.ENLISTED, mac))
        with pytest.raises(AlreadyExists, match=f"MAC address {mac} belongs to another"):
            uow.machines.add(a_machine(4, None, MachineOrigin.ENLISTED, mac))


def test_a_change_of_the_node_is_one_of_the_machine(store: Store) -> None:
    with store.begin() as uow:
        zone = uow.zones.add(Zone(ZoneId(0), "east"))
        machine = uow.machines.add(a_machine(1, None, MachineOrigin.ENLISTED))
        node = uow.nodes.get(machine.system_id)
        uow.nodes.update(replace(node, hostname="renamed", zone_id=zone.id))
        changed = uow.machines.get(machine.system_id)
        assert (changed.hostname, changed.zone_id) == ("renamed", zone.id)
        with pytest.raises(StaleGeneration):
            uow.machines.update(replace(machine, state=MachineState.ALLOCATED))
        again = uow.machines.update(replace(changed, hostname="again", interfaces=(), tags=("t",)))
        assert uow.machines.get(machine.system_id) == again
        assert (uow.nodes.get(machine.system_id).hostname, again.interfaces) == ("again", ())
        uow.machines.delete(machine.system_id)
        with pytest.raises(NotFound):
            uow.nodes.get(machine.system_id)


def test_what_groups_others_stays_while_it_does(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        zone = uow.zones.add(Zone(ZoneId(0), "east"))
        tag = uow.tags.add(Tag(TagId(0), "gpu"))
        uow.hosts.update(replace(world.host, zone_id=zone.id))
        node = uow.nodes.add(replace(a_node(N1, "n1", a_nic("eth0")), zone_id=zone.id, tags=("gpu",)))
        uow.nodes.update_interface(N1, replace(node.interfaces[0], tags=("gpu",)))
        with pytest.raises(InUse) as refused:
            uow.zones.delete(zone.id)
        assert refused.value.by == ("device n1", "host kvm1")
        with pytest.raises(InUse) as refused:
            uow.tags.delete(tag.id)
        assert refused.value.by == ("node n1", "interface n1:eth0")
        with pytest.raises(InUse):
            uow.zones.delete(ZoneId(1))
        uow.nodes.delete(N1)
        uow.tags.delete(tag.id)
        with pytest.raises(NotFound):
            uow.tags.get(tag.id)


def test_nodes_and_machines_are_paged(store: Store) -> None:
    with store.begin() as uow:
        for number in range(5):
            uow.machines.add(a_machine(number, None, MachineOrigin.ENLISTED))
        first = uow.machines.list(limit=2)
        rest = uow.machines.list(after=first[-1].system_id)
        assert [each.hostname for each in first + rest] == [f"old{n}" for n in range(5)]
        assert [each.hostname for each in uow.nodes.list(after=first[-1].system_id, limit=2)] == [
            "old2",
            "old3",
        ]
