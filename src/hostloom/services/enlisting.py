"""Enlists a bare machine manually, before it boots from the network."""

from dataclasses import dataclass

from hostloom.model.access import Principal
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine, MachineOrigin, MachineState
from hostloom.model.node import InterfaceKind, NodeInterface
from hostloom.ports.context import IdSource
from hostloom.ports.store import UnitOfWork
from hostloom.services import nodes
from hostloom.services.access import require_admin
from hostloom.services.groupings import domain_id
from hostloom.services.nodes import NodeChanges


@dataclass(frozen=True)
class EnlistInput:
    """A machine to enlist, with one NIC for each MAC; domain by name or id."""

    hostname: str
    #: amd64, arm64 …
    architecture: str
    macs: tuple[MacAddress, ...]
    domain: str | None = None
    description: str = ""


def enlist(uow: UnitOfWork, principal: Principal, ids: IdSource, fields: EnlistInput) -> Machine:
    """Record a new machine; commissioning finds its hardware. AlreadyExists for its name or a MAC."""
    require_admin(principal, "enlist machines")
    nodes.check_free_hostname(uow, fields.hostname)
    nodes.check_macs(uow, fields.macs)
    domain_id(uow, fields.domain)
    machine = Machine(
        system_id=ids.system_id(),
        hostname=fields.hostname,
        uuid=ids.uuid(),
        origin=MachineOrigin.ENLISTED,
        state=MachineState.NEW,
        host_id=None,
        architecture=fields.architecture,
        cores=0,
        memory_mib=0,
    )
    uow.machines.add(machine)
    nics = [
        NodeInterface(nodes.NEW_INTERFACE, f"eth{n}", InterfaceKind.PHYSICAL, mac)
        for n, mac in enumerate(fields.macs)
    ]
    uow.nodes.replace_interfaces(machine.system_id, nics)
    if fields.domain is not None or fields.description:
        changes = NodeChanges(description=fields.description)
        if fields.domain is not None:
            changes = NodeChanges(domain=fields.domain, description=fields.description)
        nodes.update(uow, principal, machine.system_id, changes)
    return uow.machines.get(machine.system_id)
