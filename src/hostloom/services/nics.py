"""Adds NICs to nodes, and removes them from nodes and composed machines."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from hostloom.model.access import Principal
from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.errors.values import Conflict
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import MacAddress, VlanId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind, VlanSource
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import hypervisor_of
from hostloom.services import machines, nodes
from hostloom.services.access import require_admin
from hostloom.services.nic_links import ONLY_COMPOSED, give_back, let_go, put_back
from hostloom.services.publishing import commit_and_publish, served
from hostloom.services.vlans import VLANS

#: States of machines without a system that depends on the NICs.
NICS_MAY_GO = frozenset({MachineState.NEW, MachineState.READY, MachineState.ALLOCATED, MachineState.BROKEN})


@dataclass(frozen=True)
class NicInput:
    """A NIC of a device or bare machine, as specified by the operator."""

    mac: MacAddress
    name: str | None = None
    vlan: str | None = None
    tags: tuple[str, ...] = ()


def add(uow: UnitOfWork, principal: Principal, key: str, fields: NicInput) -> NodeInterface:
    """Add a NIC to a device or bare machine; other nodes get NICs only from readings or a compose."""
    require_admin(principal, "add interfaces")
    node = _own_to_change(uow, principal, key)
    used_names = {interface.name for interface in node.interfaces}
    name = fields.name or next(f"eth{n}" for n in range(len(used_names) + 1) if f"eth{n}" not in used_names)
    if name in used_names:
        raise Conflict(
            "name",
            name,
            "is already the name of",
            f"an interface of node {node.hostname}",
            "choose another name",
        )
    nodes.check_macs(uow, (fields.mac,))
    vlan = None if fields.vlan is None else VLANS.get(uow, principal, fields.vlan).id
    source = VlanSource.NONE if vlan is None else VlanSource.OPERATOR
    nic = NodeInterface(
        nodes.NEW_INTERFACE, name, InterfaceKind.PHYSICAL, fields.mac, vlan, source, tags=fields.tags
    )
    changed = uow.nodes.replace_interfaces(node.system_id, [*node.interfaces, nic])
    return nodes.get_interface(changed, name)


def remove(uow: UnitOfWork, principal: Principal, key: str, nic: str) -> None:
    """Remove a NIC from a device or bare machine, and release its addresses."""
    require_admin(principal, "remove interfaces")
    node = _own_to_change(uow, principal, key)
    interface = nodes.get_interface(node, nic)
    let_go(uow, principal, key, nic)
    left = [other for other in node.interfaces if other.id != interface.id]
    uow.nodes.replace_interfaces(node.system_id, left)


def remove_composed(ports: Ports, principal: Principal, key: str, nic: str) -> None:
    """Remove a NIC from a composed machine without a system, on its host and in our DHCP.

    A running machine keeps the NIC until it is off. WrongState.
    """
    require_admin(principal, "remove interfaces")
    with ports.store.begin() as uow:
        machine, machine_nic = _composed(uow, principal, key, nic)
    hypervisor_of(ports, machine).remove_interface(machine.uuid, machine_nic.mac, machine.system_id)

    def act(uow: UnitOfWork) -> tuple[tuple[Machine, Machine], Collection[VlanId]]:
        before, machine_nic = _composed(uow, principal, key, nic)
        give_back(uow, before, machine_nic, machine_nic.ips, ports.clock.now())
        nics = tuple(interface for interface in before.interfaces if interface is not machine_nic)
        after = uow.machines.update(replace(before, interfaces=nics))
        text = f"NIC {machine_nic.name} with MAC {machine_nic.mac} was taken away by {principal.name}"
        uow.events.add(Event(EventKind.NIC_REMOVED, machine_subject(after), text, ports.clock.now()))
        vlan = [] if machine_nic.vlan_id is None else [uow.vlans.get(machine_nic.vlan_id)]
        return (before, after), served(uow, *vlan)

    commit_and_publish(ports, act, put_back)


def _composed(uow: UnitOfWork, principal: Principal, key: str, nic: str) -> tuple[Machine, MachineInterface]:
    """A composed machine from which NICs may be removed, and one of its NICs; WrongState, NotFound."""
    machine = machines.get(uow, principal, key)
    machines.require_unlocked(machine)
    if machine.origin is not MachineOrigin.COMPOSED:
        raise WrongState("machine", machine.hostname, machine.origin.value, ONLY_COMPOSED)
    if machine.state not in NICS_MAY_GO:
        words = ", ".join(sorted(state.value for state in NICS_MAY_GO))
        raise WrongState("machine", machine.hostname, machine.state, f"it must be {words}")
    machine_nic = next((interface for interface in machine.interfaces if interface.name == nic), None)
    if machine_nic is None:
        raise NotFound("NIC", nic, f"machine {machine.hostname!r}")
    return machine, machine_nic


def _own_to_change(uow: UnitOfWork, principal: Principal, key: str) -> Node:
    """A node with NICs that its operator defines."""
    node = nodes.get(uow, principal, key)
    if node.kind is NodeKind.DEVICE:
        return node
    if node.kind is NodeKind.MACHINE:
        machine = machines.get(uow, principal, node.system_id)
        if machine.origin is MachineOrigin.ENLISTED:
            return node
        raise WrongState(
            "machine",
            machine.hostname,
            machine.origin.value,
            "only NICs of devices and enlisted machines are added by hand",
        )
    raise WrongState(
        "node",
        node.hostname,
        f"a {node.kind.value}",
        "only NICs of devices and enlisted machines are added by hand",
    )
