"""The DHCP exchanges of a machine's NICs."""

from collections.abc import Sequence

from hostloom.decide.dhcp.exchanges import exchanges
from hostloom.model.access import Principal
from hostloom.model.dhcp_exchange import Exchange
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import MacAddress, VlanId
from hostloom.model.machine import Machine
from hostloom.model.network import Address
from hostloom.ports.store import UnitOfWork
from hostloom.services import machines
from hostloom.services.access import require_user

_Nic = tuple[str, MacAddress, VlanId | None, tuple[Address, ...]]


def timelines(
    uow: UnitOfWork, principal: Principal, key: str, nic: str | None = None
) -> list[tuple[str, Sequence[Exchange]]]:
    """The exchanges of all NICs in the machine's order, or only of the named NIC. NotFound."""
    require_user(principal, "see DHCP")
    machine = machines.get(uow, principal, key)
    nics = [pair for pair in _nics(uow, machine) if nic in (None, pair[0])]
    if nic is not None and not nics:
        raise NotFound("NIC", nic, f"machine {machine.hostname!r}")
    dhcp_messages = uow.dhcp_messages.of([mac for _, mac, _, _ in nics])
    snapshot, racks = uow.snapshot(), uow.racks.list()
    return [
        (
            name,
            exchanges(
                snapshot,
                racks,
                vlan_id,
                ips,
                [message for message in dhcp_messages if message.mac == mac],
            ),
        )
        for name, mac, vlan_id, ips in nics
    ]


def _nics(uow: UnitOfWork, machine: Machine) -> list[_Nic]:
    """The NICs of a machine; those of a bare machine are its node's interfaces."""
    if machine.interfaces:
        return [
            (interface.name, interface.mac, interface.vlan_id, interface.ips)
            for interface in machine.interfaces
        ]
    node = uow.nodes.get(machine.system_id)
    return [
        (interface.name, interface.mac, interface.vlan_id, interface.ips)
        for interface in node.interfaces
        if interface.mac is not None
    ]
