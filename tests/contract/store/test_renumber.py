"""Networks get other ids, and everything that refers to them follows; on both databases."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from hostloom.decide.snapshot import Snapshot
from hostloom.migration.new_ids import renumbered
from hostloom.migration.plan_import import Defaults, Present
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound, PlanGone
from hostloom.model.grouping import Domain, ResourcePool, Zone
from hostloom.model.host import Host
from hostloom.model.ids import (
    DomainId,
    FabricId,
    HostId,
    InterfaceId,
    MacAddress,
    RackId,
    RangeId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.import_plan import ImportNoun, Renumbering
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import (
    AddressKind,
    Fabric,
    HeldAddress,
    IPRange,
    RangeKind,
    Space,
    Subnet,
    Vlan,
)
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind, VlanSource
from hostloom.model.rack import Rack
from hostloom.model.stored_plan import StoredPlan
from hostloom.ports.store import Store, UnitOfWork


def move(noun: ImportNoun, before: int, after: int, *, gives_way: bool = True) -> Renumbering:
    return Renumbering(noun, before, after, gives_way)


def fill(uow: UnitOfWork) -> None:
    """Two fabrics with everything that refers to them, to their VLANs and to their subnets."""
    uow.spaces.add(Space(SpaceId(0), "dmz"))
    east = uow.zones.add(Zone(ZoneId(0), "east"))
    web = uow.resource_pools.add(ResourcePool(ResourcePoolId(0), "web"))
    uow.hosts.add(Host(HostId(0), "kvm1", "test:///default", zone_id=east.id, resource_pool_id=web.id))
    uow.hosts.add(Host(HostId(0), "kvm2", "test:///2"))
    uow.nodes.add(Node(SystemId("rack01"), "rack", NodeKind.RACK_CONTROLLER))
    rack = uow.racks.add(Rack(RackId(0), "rack", SystemId("rack01")))
    for number in (1, 2):
        fabric = uow.fabrics.add(Fabric(FabricId(0), f"fabric-{number}", automatic=True))
        untagged = uow.vlans.find_by_vid(fabric.id, 0)
        assert untagged is not None
        tagged = Vlan(VlanId(0), fabric.id, 20, "vlan-20", space_id=SpaceId(1), automatic=True)
        vlan = uow.vlans.add(replace(tagged, relay_vlan_id=untagged.id, primary_rack_id=rack.id))
        cidr = ip_network(f"10.0.{number}.0/24")
        subnet = uow.subnets.add(Subnet(SubnetId(0), cidr, vlan.id, str(cidr), automatic=True))
        start = cidr[100]
        uow.ranges.add(IPRange(RangeId(0), subnet.id, RangeKind.RESERVED, start, start))
        uow.addresses.hold(HeldAddress(cidr[7], AddressKind.RESERVED, subnet.id, None, None, "a printer"))
        add_machine(uow, number, vlan.id, cidr[50])
    plan = StoredPlan("plan-1", "vm", ("kvm",), 0.0, 900.0, "root", 1)
    uow.plans.add(plan, {})


def add_machine(uow: UnitOfWork, number: int, vlan_id: VlanId, ip: object) -> None:
    mac = MacAddress(f"52:54:00:00:00:{number:02x}")
    nic = MachineInterface("eth0", mac, Attachment(AttachKind.BRIDGE, "br0"), vlan_id)
    name = f"vm{number}"
    machine = Machine(
        SystemId(name),
        name,
        f"uuid-{number}",
        MachineOrigin.ENLISTED,
        MachineState.READY,
        None,
        "amd64",
        1,
        1024,
        interfaces=(nic,),
    )
    uow.machines.add(machine)
    seen = NodeInterface(
        InterfaceId(0),
        "eth0",
        InterfaceKind.PHYSICAL,
        mac,
        vlan_id=vlan_id,
        vlan_source=VlanSource.OPERATOR,
        addresses=(ip_interface(f"{ip}/24"),),
    )
    uow.nodes.replace_interfaces(machine.system_id, (seen,))


@pytest.fixture
def filled(store: Store) -> Store:
    with store.begin() as uow:
        fill(uow)
        uow.commit()
    return store


#: The default ones change their places with others.
GROUPS = [
    move(ImportNoun.ZONE, 1, 2, gives_way=False),
    move(ImportNoun.ZONE, 2, 1),
    move(ImportNoun.RESOURCE_POOL, 1, 0, gives_way=False),
    move(ImportNoun.RESOURCE_POOL, 2, 1),
    move(ImportNoun.DOMAIN, 1, 0, gives_way=False),
]
MOVES = [
    *GROUPS,
    # two that are exchanged, one that makes room, and the id 0 of other systems
    move(ImportNoun.FABRIC, 1, 0, gives_way=False),
    move(ImportNoun.FABRIC, 2, 1),
    move(ImportNoun.VLAN, 2, 4, gives_way=False),
    move(ImportNoun.VLAN, 4, 2),
    move(ImportNoun.VLAN, 1, 5001),
    move(ImportNoun.SUBNET, 1, 2),
    move(ImportNoun.SUBNET, 2, 1, gives_way=False),
    move(ImportNoun.SPACE, 1, 9),
]


def bare(snapshot: Snapshot) -> Snapshot:
    return replace(
        snapshot,
        revision=0,
        fabrics=by_id(snapshot.fabrics),
        vlans=by_id(snapshot.vlans),
        subnets=by_id(snapshot.subnets),
        ranges=by_id(snapshot.ranges),
        held=tuple(sorted(snapshot.held, key=str)),
        nodes=tuple(sorted(snapshot.nodes, key=lambda node: node.system_id)),
        hosts=tuple(sorted(snapshot.hosts, key=lambda state: state.host.id)),
    )


def grouped(present: Present) -> Present:
    """What is here without the physical network."""
    zones, pools = by_id(present.zones), by_id(present.resource_pools)
    return replace(present, snapshot=Snapshot(), zones=zones, resource_pools=pools)


def by_id(items: tuple) -> tuple:  # type: ignore[type-arg]  # of any noun
    return tuple(sorted(items, key=lambda item: item.id))


def everything(uow: UnitOfWork) -> Present:
    return Present(
        uow.snapshot(),
        tuple(uow.zones.list()),
        tuple(uow.resource_pools.list()),
        tuple(uow.domains.list()),
        (),
        tuple(uow.machines.list()),
        defaults=Defaults(uow.zones.default().id, uow.resource_pools.default().id, uow.domains.default().id),
    )


def test_everything_follows(filled: Store) -> None:
    """The store and decide/ agree on the world with the new ids; earlier snapshots are read again."""
    without_space = MOVES[:-1]
    with filled.begin() as uow:
        wanted = renumbered(everything(uow), without_space)
    with filled.begin() as uow:
        uow.renumber(without_space)
        uow.commit()
    with filled.begin() as uow:
        after = everything(uow)
    assert bare(after.snapshot) == bare(wanted.snapshot)
    assert grouped(after) == grouped(wanted)
    with filled.begin() as uow:
        uow.renumber(MOVES[-1:])
        uow.commit()
    with filled.begin() as uow:
        assert {vlan.space_id for vlan in uow.vlans.list() if vlan.vid} == {9}
        assert [(one.id, one.name, one.automatic) for one in uow.fabrics.list()] == [
            (0, "fabric-1", False),
            (1, "fabric-2", True),
        ]
        vm1 = uow.machines.get(SystemId("vm1"))
        assert [nic.vlan_id for nic in vm1.interfaces] == [4]
        assert [nic.vlan_id for nic in uow.nodes.get(SystemId("vm1")).interfaces] == [4]
        relayed = uow.vlans.get(VlanId(4))
        assert (relayed.fabric_id, relayed.relay_vlan_id, relayed.primary_rack_id) == (0, 5001, 1)
        assert [held.ip for held in uow.addresses.list(SubnetId(2))] == [
            ip_address("10.0.1.7"),
            ip_address("10.0.1.50"),
        ]
        with pytest.raises(PlanGone):
            uow.plans.get("plan-1", 1.0)


def test_default_groups_stay_the_default_ones(filled: Store) -> None:
    """Whatever comes after is in them, and 0 is an id like any other."""
    with filled.begin() as uow:
        uow.renumber(GROUPS)
        during = uow.nodes.add(Node(SystemId("during"), "during", NodeKind.DEVICE))
        uow.commit()
    with filled.begin() as uow:
        after = uow.nodes.add(Node(SystemId("later1"), "later", NodeKind.DEVICE))
        add_machine(uow, 3, 2, "10.0.1.60")
        new = uow.nodes.get(SystemId("vm3"))
        for node in (during, after, new):
            assert (node.zone_id, node.resource_pool_id, node.domain_id) == (2, 0, 0)
        shown = [(host.name, host.zone_id, host.resource_pool_id) for host in uow.hosts.list()]
        assert shown == [("kvm1", 1, 1), ("kvm2", 2, 0)]
        other = uow.domains.add(Domain(DomainId(0), "lab.example"))
        uow.domains.set_default(other.id)
        changed = uow.nodes.update(replace(during, description="stays in its domain"))
        assert uow.nodes.get(changed.system_id).domain_id == 0
        with pytest.raises(InUse):
            uow.resource_pools.delete(ResourcePoolId(0))
        assert uow.zones.add(Zone(ZoneId(0), "west")).id == 3


def test_new_rows_come_after_the_highest_id(filled: Store) -> None:
    with filled.begin() as uow:
        uow.renumber([move(ImportNoun.FABRIC, 1, 40), move(ImportNoun.VLAN, 3, 5001)])
        added = uow.fabrics.add(Fabric(FabricId(0), "new"))
        untagged = uow.vlans.find_by_vid(added.id, 0)
    assert added.id == 41
    assert untagged is not None
    assert untagged.id == 5002


def test_back_and_forth_is_nothing(filled: Store) -> None:
    with filled.begin() as uow:
        before = everything(uow)
        uow.renumber(MOVES)
        back = [replace(one, before=one.after, after=one.before, gives_way=True) for one in MOVES]
        uow.renumber(back)
        uow.commit()
        after = everything(uow)
    assert bare(after.snapshot) == bare(before.snapshot)
    assert grouped(after) == grouped(before)


def test_an_id_that_another_keeps_or_nothing_has(filled: Store) -> None:
    with filled.begin() as uow:
        before = uow.snapshot()
        with pytest.raises(AlreadyExists, match="subnet"):
            uow.renumber([move(ImportNoun.SUBNET, 1, 2)])
        with pytest.raises(NotFound, match="fabric"):
            uow.renumber([move(ImportNoun.FABRIC, 77, 78)])
    with filled.begin() as uow:
        assert bare(uow.snapshot()) == bare(before)
