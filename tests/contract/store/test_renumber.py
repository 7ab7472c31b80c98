"""Networks get other ids, and everything that refers to them follows; on both databases."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from hostloom.decide.importing.importing import Present
from hostloom.decide.importing.renumbering import renumbered
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors import AlreadyExists, NotFound, PlanGone
from hostloom.model.ids import (
    FabricId,
    InterfaceId,
    MacAddress,
    RackId,
    RangeId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
)
from hostloom.model.importing import ImportNoun, Renumbering
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
from hostloom.ports import Store, UnitOfWork


def move(noun: ImportNoun, before: int, after: int, *, gives_way: bool = True) -> Renumbering:
    return Renumbering(noun, before, after, gives_way)


def fill(uow: UnitOfWork) -> None:
    """Two fabrics with everything that refers to them, to their VLANs and to their subnets."""
    uow.spaces.add(Space(SpaceId(0), "dmz"))
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


MOVES = [
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
    )


def by_id(items: tuple) -> tuple:  # type: ignore[type-arg]  # of any noun
    return tuple(sorted(items, key=lambda item: item.id))


def everything(uow: UnitOfWork) -> Present:
    return Present(uow.snapshot(), (), (), (), (), tuple(uow.machines.list()))


def test_everything_follows(filled: Store) -> None:
    """The store does what decide/ says of the world with the new ids; what was read before is read anew."""
    without_space = MOVES[:-1]
    with filled.begin() as uow:
        wanted = renumbered(everything(uow), without_space)
    with filled.begin() as uow:
        uow.renumber(without_space)
        uow.commit()
    with filled.begin() as uow:
        after = everything(uow)
    assert bare(after.snapshot) == bare(wanted.snapshot)
    assert after.machines == wanted.machines
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
    assert after.machines == before.machines


def test_an_id_that_another_keeps_or_nothing_has(filled: Store) -> None:
    with filled.begin() as uow:
        before = uow.snapshot()
        with pytest.raises(AlreadyExists, match="subnet"):
            uow.renumber([move(ImportNoun.SUBNET, 1, 2)])
        with pytest.raises(NotFound, match="fabric"):
            uow.renumber([move(ImportNoun.FABRIC, 77, 78)])
    with filled.begin() as uow:
        assert bare(uow.snapshot()) == bare(before)
