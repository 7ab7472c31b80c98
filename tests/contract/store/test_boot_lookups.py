"""Who a machine that boots is: by the MAC of its NIC, by its SMBIOS UUID, and whose report is overdue."""

from dataclasses import replace

from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.commissioning import BootAction
from hostloom.model.ids import HostId, InterfaceId, MacAddress, SystemId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.ports.store import Store
from hostloom.store.engine import DatabaseStore
from support.statements import counted_statements
from support.stored import store_world

MAC = MacAddress("52:54:00:aa:00:01")
OTHER = MacAddress("52:54:00:aa:00:02")
UNUSED_MAC = MacAddress("52:54:00:aa:00:99")


def a_machine(number: int, host_id: HostId | None, origin: MachineOrigin, *macs: MacAddress) -> Machine:
    bridge = Attachment(AttachKind.BRIDGE, "br0")
    return Machine(
        SystemId(f"x{number:05d}"),
        f"m{number}",
        f"00000000-0000-4000-8000-{number:012d}",
        origin,
        MachineState.READY,
        host_id,
        "amd64",
        1,
        1024,
        interfaces=tuple(MachineInterface(f"eth{n}", mac, bridge) for n, mac in enumerate(macs)),
    )


def a_node(system_id: str, kind: NodeKind, *macs: MacAddress) -> Node:
    nics = tuple(
        NodeInterface(InterfaceId(0), f"eth{n}", InterfaceKind.PHYSICAL, mac) for n, mac in enumerate(macs)
    )
    return Node(SystemId(system_id), f"node-{system_id}", kind, nics)


def test_a_machine_is_found_by_any_of_its_macs_whole_and_in_one_statement(store: Store) -> None:
    assert isinstance(store, DatabaseStore)
    world = store_world(store)
    with store.begin() as uow:
        web = uow.machines.add(a_machine(1, world.host.id, MachineOrigin.COMPOSED, MAC, OTHER))
        uow.commit()
    with store.begin() as uow, counted_statements(store.engine) as seen:
        assert uow.machines.find_by_mac(OTHER) == web
    assert len(seen) == 1
    with store.begin() as uow:
        assert uow.machines.find_by_mac(MAC) == web
        assert uow.machines.find_by_mac(UNUSED_MAC) is None


def test_of_two_with_one_mac_ours_is_found(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        uow.machines.add(a_machine(1, world.host.id, MachineOrigin.ADOPTED, MAC))
        ours = uow.machines.add(a_machine(2, world.host.id, MachineOrigin.COMPOSED, MAC))
        assert uow.machines.find_by_mac(MAC) == ours


def test_a_bare_machine_is_found_by_what_commissioning_found(store: Store) -> None:
    with store.begin() as uow:
        bare = uow.machines.add(a_machine(1, None, MachineOrigin.ENLISTED))
        uow.nodes.replace_interfaces(bare.system_id, a_node("x", NodeKind.MACHINE, MAC, OTHER).interfaces)
        uow.commit()
    with store.begin() as uow:
        found = uow.machines.find_by_mac(OTHER)
        assert found is not None
        assert (found.system_id, found.interfaces) == (bare.system_id, ())


def test_a_node_that_is_not_a_machine_is_found_as_a_node(store: Store) -> None:
    with store.begin() as uow:
        switch = uow.nodes.add(a_node("d00001", NodeKind.DEVICE, MAC, OTHER))
        uow.commit()
    with store.begin() as uow:
        assert uow.nodes.find_by_mac(OTHER) == switch
        assert uow.nodes.find_by_mac(UNUSED_MAC) is None
        assert uow.machines.find_by_mac(OTHER) is None


def test_a_machine_is_found_by_its_smbios_uuid_on_whatever_host(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        adopted = uow.machines.add(a_machine(1, world.host.id, MachineOrigin.ADOPTED, MAC))
        bare = uow.machines.add(a_machine(2, None, MachineOrigin.ENLISTED))
        assert uow.machines.find_by_smbios(adopted.uuid) == adopted
        assert uow.machines.find_by_smbios(bare.uuid) == bare
        assert uow.machines.find_by_smbios("00000000-0000-4000-8000-000000000009") is None


def test_those_whose_report_is_overdue(store: Store) -> None:
    with store.begin() as uow:
        late = uow.machines.add(a_machine(1, None, MachineOrigin.ENLISTED))
        late = uow.machines.update(replace(late, commission_by=100.0, next_boot=BootAction.COMMISSION))
        soon = uow.machines.add(a_machine(2, None, MachineOrigin.ENLISTED))
        uow.machines.update(replace(soon, commission_by=200.0))
        uow.machines.add(a_machine(3, None, MachineOrigin.ENLISTED))
        uow.commit()
    with store.begin() as uow:
        assert uow.machines.overdue(99.9) == []
        assert uow.machines.overdue(100.0) == [late]
        assert len(uow.machines.overdue(500.0)) == 2
