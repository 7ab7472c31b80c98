"""Fabrics, VLANs, spaces, subnets and ranges: what is unique, what refuses to go, who is named."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Never

import pytest

from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import FabricId, InterfaceId, RangeId, SpaceId, SubnetId, SystemId, VlanId
from hostloom.model.network import AddressKind, Fabric, HeldAddress, IPRange, RangeKind, Space, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.ports.store import Reservation, Store
from support.stored import EXPLANATION, a_plan, store_world


def a_subnet(cidr: str, vlan_id: VlanId) -> Subnet:
    return Subnet(SubnetId(0), ip_network(cidr), vlan_id, cidr)


def a_range(subnet_id: SubnetId, start: str, end: str, kind: RangeKind = RangeKind.DYNAMIC) -> IPRange:
    return IPRange(RangeId(0), subnet_id, kind, ip_address(start), ip_address(end))


def test_a_fabric_comes_with_its_untagged_vlan(store: Store) -> None:
    with store.begin() as uow:
        fabric = uow.fabrics.add(Fabric(FabricId(0), "f"))
        vlan = uow.vlans.find_by_vid(fabric.id, 0)
        assert vlan is not None
        assert vlan.fabric_id == fabric.id
        with pytest.raises(InUse, match="its fabric"):
            uow.vlans.delete(vlan.id)
        with pytest.raises(InvalidValue, match="untagged"):
            uow.vlans.update(replace(vlan, vid=7))
        uow.fabrics.delete(fabric.id)
        assert uow.vlans.list() == []


def test_names_and_tags_are_unique_and_the_transaction_goes_on(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        with pytest.raises(AlreadyExists, match="fabric 'fabric-0'"):
            uow.fabrics.add(Fabric(FabricId(0), "fabric-0"))
        with pytest.raises(AlreadyExists, match="VLAN 'fabric-0/20'"):
            uow.vlans.add(Vlan(VlanId(0), world.fabric.id, 20, "again"))
        uow.spaces.add(Space(SpaceId(0), "dmz"))
        with pytest.raises(AlreadyExists, match="space 'dmz'"):
            uow.spaces.add(Space(SpaceId(0), "dmz"))
        other = uow.fabrics.add(Fabric(FabricId(0), "fabric-1"))
        with pytest.raises(AlreadyExists, match="fabric 'fabric-0'"):
            uow.fabrics.update(replace(other, name="fabric-0"))
        uow.vlans.add(Vlan(VlanId(0), other.id, 20, "lab"))
        uow.commit()
    with store.begin() as uow:
        assert [each.name for each in uow.fabrics.list()] == ["fabric-0", "fabric-1"]


def test_what_a_new_thing_refers_to_must_be_there(store: Store) -> None:
    with store.begin() as uow:
        with pytest.raises(NotFound, match="fabric 99"):
            uow.vlans.add(Vlan(VlanId(0), FabricId(99), 20, "lab"))
        with pytest.raises(NotFound, match="VLAN 99"):
            uow.subnets.add(a_subnet("10.0.0.0/24", VlanId(99)))
        with pytest.raises(NotFound, match="subnet 99"):
            uow.ranges.add(a_range(SubnetId(99), "10.0.0.1", "10.0.0.2"))
        fabric = uow.fabrics.add(Fabric(FabricId(0), "f"))
        with pytest.raises(NotFound, match="space 99"):
            uow.vlans.add(Vlan(VlanId(0), fabric.id, 20, "lab", space_id=SpaceId(99)))


def test_subnets_of_one_fabric_do_not_overlap_those_of_two_may(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        with pytest.raises(AlreadyExists, match="fabric-0"):
            uow.subnets.add(a_subnet("10.0.0.0/24", world.vlan.id))
        for overlapping in ("10.0.0.128/25", "10.0.0.0/16"):
            with pytest.raises(InvalidValue, match=r"10\.0\.0\.0/24 of fabric fabric-0"):
                uow.subnets.add(a_subnet(overlapping, world.vlan.id))
        uow.subnets.add(a_subnet("10.0.1.0/24", world.vlan.id))
        uow.subnets.add(a_subnet("::/0", world.vlan.id))
        other = uow.fabrics.add(Fabric(FabricId(0), "fabric-1"))
        tagged = uow.vlans.add(Vlan(VlanId(0), other.id, 20, "lab"))
        twin = uow.subnets.add(a_subnet("10.0.0.0/24", tagged.id))
        with pytest.raises(InvalidValue, match="give its id"):
            uow.subnets.find("10.0.0.0/24")
        assert uow.subnets.find("10.0.1.0/24").vlan_id == world.vlan.id
        with pytest.raises(InvalidValue, match=r"overlaps subnet 10\.0\.0\.0/24"):
            uow.vlans.update(replace(tagged, fabric_id=world.fabric.id, vid=21))
        uow.subnets.delete(twin.id)
        moved = uow.vlans.update(replace(tagged, fabric_id=world.fabric.id, vid=21))
        with pytest.raises(InvalidValue):
            uow.subnets.add(a_subnet("10.0.1.0/25", moved.id))


def test_a_moved_vlan_takes_its_subnets_along(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        other = uow.fabrics.add(Fabric(FabricId(0), "fabric-1"))
        uow.vlans.update(replace(world.vlan, fabric_id=other.id))
        uow.subnets.add(a_subnet("10.0.0.0/24", uow.vlans.find_by_vid(world.fabric.id, 0).id))
        with pytest.raises(AlreadyExists, match="fabric-1"):
            uow.subnets.add(a_subnet("10.0.0.0/24", world.vlan.id))


def test_who_uses_a_network_is_named(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        space = uow.spaces.add(Space(SpaceId(0), "dmz"))
        vlan = uow.vlans.update(replace(world.vlan, space_id=space.id))
        uow.vlans.add(Vlan(VlanId(0), world.fabric.id, 30, "relayed", relay_vlan_id=vlan.id))
        nic = NodeInterface(InterfaceId(0), "eth0", InterfaceKind.PHYSICAL, vlan_id=vlan.id)
        uow.nodes.add(Node(SystemId("n00001"), "printer", NodeKind.DEVICE, (nic,)))
        uow.reserve([Reservation(a_plan(world, 1, revision=uow.snapshot().revision), EXPLANATION)])
        uow.addresses.hold(HeldAddress(ip_address("10.0.0.9"), AddressKind.RESERVED, world.subnet.id))
        with pytest.raises(InUse, match="VLAN fabric-0/20"):
            uow.spaces.delete(space.id)
        with pytest.raises(InUse) as refused:
            uow.vlans.delete(vlan.id)
        assert set(refused.value.by) == {
            "subnet 10.0.0.0/24",
            "machine vm1",
            "node printer (eth0)",
            "VLAN fabric-0/30, which it relays",
        }
        with pytest.raises(InUse) as refused:
            uow.subnets.delete(world.subnet.id)
        assert refused.value.by == ("address 10.0.0.9", "machine vm1")
        with pytest.raises(InUse, match="VLAN fabric-0/20, VLAN fabric-0/30"):
            uow.fabrics.delete(world.fabric.id)
        uow.commit()
    with store.begin() as uow:
        assert uow.subnets.get(world.subnet.id) == world.subnet


def test_ranges_stay_inside_their_subnet_and_apart_and_go_with_it(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        stored = uow.ranges.add(a_range(world.subnet.id, "10.0.0.100", "10.0.0.199"))
        assert uow.ranges.find("10.0.0.100-10.0.0.199") == stored
        with pytest.raises(AlreadyExists, match=r"overlaps range 10\.0\.0\.100-10\.0\.0\.199"):
            uow.ranges.add(a_range(world.subnet.id, "10.0.0.199", "10.0.0.210", RangeKind.RESERVED))
        with pytest.raises(InvalidValue, match="end"):
            uow.ranges.add(a_range(world.subnet.id, "10.0.0.200", "10.0.1.1"))
        with pytest.raises(InvalidValue, match="start"):
            uow.ranges.add(a_range(world.subnet.id, "fd00::1", "10.0.0.210"))
        with pytest.raises(InvalidValue, match=r"is before the start 10\.0\.0\.210"):
            uow.ranges.add(a_range(world.subnet.id, "10.0.0.210", "10.0.0.201"))
        longer = uow.ranges.update(replace(stored, end=ip_address("10.0.0.200")))
        assert longer.generation == 2
        uow.subnets.delete(world.subnet.id)
        assert uow.ranges.list() == []


def test_an_update_of_an_old_generation_changes_nothing(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        newer = uow.fabrics.update(replace(world.fabric, description="newer"))
        uow.commit()
    with store.begin() as uow:
        with pytest.raises(StaleGeneration, match="has changed since generation 1; it has generation 2 now"):
            uow.fabrics.update(replace(world.fabric, description="late"))
        assert uow.fabrics.get(world.fabric.id) == newer
        with pytest.raises(NotFound):
            uow.fabrics.update(replace(newer, id=FabricId(99)))


def test_lists_are_paged_by_id(store: Store) -> None:
    with store.begin() as uow:
        ids = [uow.spaces.add(Space(SpaceId(0), f"s{n}")).id for n in range(7)]
        assert [each.id for each in uow.spaces.list(limit=3)] == ids[:3]
        assert [each.id for each in uow.spaces.list(after=ids[2], limit=3)] == ids[3:6]
        assert [each.id for each in uow.spaces.list(after=ids[5])] == ids[6:]


def test_ids_are_not_used_again_and_given_ids_are_kept(store: Store) -> None:
    with store.begin() as uow:
        first = uow.spaces.add(Space(SpaceId(0), "a"))
        uow.spaces.delete(first.id)
        assert uow.spaces.add(Space(SpaceId(0), "b")).id > first.id
        assert uow.spaces.add(Space(SpaceId(50), "c")).id == 50
        assert uow.spaces.add(Space(SpaceId(0), "d")).id == 51
        uow.spaces.add(Space(first.id, "a"))
        assert uow.spaces.add(Space(SpaceId(0), "e")).id == 52


def test_left_without_commit_nothing_stays(store: Store) -> Never:
    with store.begin() as uow:
        uow.spaces.add(Space(SpaceId(0), "gone"))
    with store.begin() as uow:
        assert uow.spaces.list() == []
    with pytest.raises(RuntimeError), store.begin() as uow:
        uow.spaces.add(Space(SpaceId(0), "gone"))
        raise RuntimeError
    with store.begin() as uow:
        assert uow.spaces.find("gone") is None
