"""Changes the addresses of existing NICs and publishes them to our DHCP."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from hostloom.decide.explain.reason_texts import refused
from hostloom.decide.placement.addresses import address_index_of
from hostloom.model.access import Principal
from hostloom.model.dhcp import LEASE_TIME_S
from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.errors.values import InvalidValue, NotTogether
from hostloom.model.ids import SystemId, VlanId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState, PowerState
from hostloom.model.network import Address, AddressKind, HeldAddress, Subnet
from hostloom.model.node import LinkMode, VlanSource
from hostloom.model.reasons import Refusal, SubjectKind
from hostloom.model.request import AddressMode
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.services import machines, nodes
from hostloom.services.access import require_admin
from hostloom.services.machine_operations import IN_OPERATION
from hostloom.services.publishing import commit_and_publish, served
from hostloom.services.subnets import SUBNETS

#: Kinds of addresses that hostloom reserves for NICs.
GIVEN = (AddressKind.AUTO, AddressKind.STATIC)
ONLY_COMPOSED = "only NICs of machines that hostloom composed can be changed"


@dataclass(frozen=True)
class LinkInput:
    """A link to create; the subnet by CIDR, id or name."""

    mode: LinkMode
    subnet: str | None = None
    #: Required for STATIC, and not allowed otherwise.
    ip: Address | None = None


def link(ports: Ports, principal: Principal, key: str, nic: str, fields: LinkInput) -> Machine:
    """Link a composed machine's NIC; Refused, without any change, if the address cannot be assigned."""

    def change(uow: UnitOfWork, machine: Machine, machine_nic: MachineInterface) -> MachineInterface:
        if fields.mode in (LinkMode.AUTO, LinkMode.STATIC):
            subnet = _subnet(uow, principal, fields, machine_nic.vlan_id, nic)
            ip, kind = _address(uow, fields, subnet, machine.system_id)
            uow.addresses.hold(HeldAddress(ip, kind, subnet.id, machine.system_id, nic))
            return replace(machine_nic, mode=AddressMode.AUTO, ips=(*machine_nic.ips, ip))
        _check_alone(fields)
        give_back(uow, machine, machine_nic, machine_nic.ips, ports.clock.now())
        mode = AddressMode.DHCP if fields.mode is LinkMode.DHCP else AddressMode.UNCONFIGURED
        return replace(machine_nic, mode=mode, ips=())

    return _change(ports, principal, key, nic, change)


def unlink(ports: Ports, principal: Principal, key: str, nic: str, ip: Address | None = None) -> Machine:
    """Release one address of a composed machine's NIC, or all of them."""

    def change(uow: UnitOfWork, machine: Machine, machine_nic: MachineInterface) -> MachineInterface:
        if ip is not None and ip not in machine_nic.ips:
            raise NotFound("address", ip, f"NIC {machine_nic.name!r}")
        addresses = machine_nic.ips if ip is None else (ip,)
        give_back(uow, machine, machine_nic, addresses, ports.clock.now())
        left = tuple(ip for ip in machine_nic.ips if ip not in addresses)
        return replace(machine_nic, ips=left, mode=machine_nic.mode if left else AddressMode.UNCONFIGURED)

    return _change(ports, principal, key, nic, change)


def hold(uow: UnitOfWork, principal: Principal, key: str, nic: str, fields: LinkInput) -> HeldAddress | None:
    """Reserve an address for a NIC of a device or bare machine, whose own system must configure it."""
    require_admin(principal, "change addresses")
    node = nodes.get(uow, principal, key)
    interface = nodes.get_interface(node, nic)
    if fields.mode not in (LinkMode.AUTO, LinkMode.STATIC):
        _check_alone(fields)
        let_go(uow, principal, key, nic)
        return None
    subnet = _subnet(uow, principal, fields, interface.vlan_id, interface.name)
    ip, kind = _address(uow, fields, subnet, node.system_id)
    address = HeldAddress(ip, kind, subnet.id, node.system_id, interface.name)
    uow.addresses.hold(address)
    if interface.vlan_id is None:
        home = replace(interface, vlan_id=subnet.vlan_id, vlan_source=VlanSource.OPERATOR)
        uow.nodes.update_interface(node.system_id, home)
    return address


def let_go(uow: UnitOfWork, principal: Principal, key: str, nic: str, ip: Address | None = None) -> None:
    """Release an address of a device or bare machine, or all addresses that are reserved for the NIC."""
    require_admin(principal, "change addresses")
    node = nodes.get(uow, principal, key)
    interface = nodes.get_interface(node, nic)
    addresses = held_for(uow, node.system_id, interface.name)
    if ip is not None and ip not in [address.ip for address in addresses]:
        raise NotFound("address", ip, f"NIC {interface.name!r}")
    for address in addresses:
        if ip in (None, address.ip):
            uow.addresses.release(address.ip, address.subnet_id)


def held_for(uow: UnitOfWork, system_id: SystemId, nic: str) -> list[HeldAddress]:
    """The addresses that hostloom reserved for a NIC, in order."""
    addresses = uow.snapshot().held_by_node.get(system_id, ())
    linked = [address for address in addresses if address.interface_name == nic and address.kind in GIVEN]
    return sorted(linked, key=lambda address: (address.ip.version, int(address.ip)))


def _change(
    ports: Ports,
    principal: Principal,
    key: str,
    nic: str,
    change: Callable[[UnitOfWork, Machine, MachineInterface], MachineInterface],
) -> Machine:
    """Change one NIC in one transaction and publish it; if a DHCP server refuses, the change is reverted."""
    require_admin(principal, "change addresses")

    def act(uow: UnitOfWork) -> tuple[tuple[Machine, Machine], Collection[VlanId]]:
        before = machines.get(uow, principal, key)
        machines.require_unlocked(before)
        if before.origin is not MachineOrigin.COMPOSED:
            raise WrongState("machine", before.hostname, before.origin.value, ONLY_COMPOSED)
        if before.state in (MachineState.COMMISSIONING, MachineState.RELEASING):
            raise WrongState("machine", before.hostname, before.state, IN_OPERATION)
        machine_nic = next((interface for interface in before.interfaces if interface.name == nic), None)
        if machine_nic is None:
            raise NotFound("NIC", nic, f"machine {before.hostname!r}")
        changed = change(uow, before, machine_nic)
        nics = tuple(changed if interface is machine_nic else interface for interface in before.interfaces)
        after = uow.machines.update(replace(before, interfaces=nics))
        vlan = [] if machine_nic.vlan_id is None else [uow.vlans.get(machine_nic.vlan_id)]
        return (before, after), served(uow, *vlan)

    return commit_and_publish(ports, act, put_back)[1]


def put_back(uow: UnitOfWork, change: tuple[Machine, Machine]) -> None:
    """Restore a machine and its addresses to the state before a change that our DHCP refused."""
    before, after = change
    world = uow.snapshot()
    left = {nic.mac: nic for nic in after.interfaces}
    for old in before.interfaces:
        new = left.get(old.mac) or replace(old, ips=())
        give_back(uow, after, new, [ip for ip in new.ips if ip not in old.ips], None)
        for ip in old.ips:
            if ip not in new.ips:
                home = next(subnet for subnet in world.subnets_around(ip) if subnet.vlan_id == old.vlan_id)
                address = HeldAddress(ip, AddressKind.AUTO, home.id, after.system_id, old.name)
                uow.addresses.release(ip, home.id)
                uow.addresses.hold(address)
    uow.machines.update(replace(before, generation=after.generation))


def give_back(
    uow: UnitOfWork,
    machine: Machine,
    nic: MachineInterface,
    addresses: Collection[Address],
    now: float | None,
) -> None:
    """Release addresses of the NIC; with `now`, addresses that a running machine leased remain in use."""
    marks = []
    for address in held_for(uow, machine.system_id, nic.name):
        if address.ip not in addresses:
            continue
        uow.addresses.release(address.ip, address.subnet_id)
        if now is not None and machine.power is not PowerState.OFF and address.subnet_id is not None:
            lease_time_s = uow.subnets.get(address.subnet_id).lease_time_s or LEASE_TIME_S
            comment = f"{nic.mac} may use it until its lease ends"
            until = now + lease_time_s
            mark = replace(address, kind=AddressKind.ON_WIRE, comment=comment, until=until)
            marks.append(mark)
    uow.addresses.mark_on_wire(marks)


def _subnet(
    uow: UnitOfWork, principal: Principal, fields: LinkInput, vlan_id: VlanId | None, nic: str
) -> Subnet:
    if fields.subnet is None:
        raise InvalidValue("subnet", None, "is missing", "give the subnet of the address by CIDR, id or name")
    subnet = SUBNETS.get(uow, principal, fields.subnet)
    if vlan_id is not None and subnet.vlan_id != vlan_id:
        raise InvalidValue(
            "subnet", subnet.cidr, f"is not on the VLAN of {nic}", "choose a subnet of that VLAN"
        )
    return subnet


def _address(
    uow: UnitOfWork, fields: LinkInput, subnet: Subnet, system_id: SystemId
) -> tuple[Address, AddressKind]:
    """The address to assign; Refused if it cannot be assigned."""
    uow.lock_world()
    address_index = address_index_of(uow.snapshot())
    if fields.mode is LinkMode.AUTO:
        if fields.ip is not None:
            raise NotTogether("ip", "mode auto", "only mode static takes an address")
        next_address = address_index.next_free(subnet.vlan_id, frozenset({subnet.id}), frozenset())
        if next_address is None:
            raise InvalidValue(
                "subnet", subnet.cidr, "has no free address", "release an address or choose another subnet"
            )
        return next_address[0], AddressKind.AUTO
    if fields.ip is None or fields.ip not in subnet.cidr:
        complaint = "is missing" if fields.ip is None else "is not in the subnet"
        raise InvalidValue("ip", fields.ip, complaint, f"choose an address of subnet {subnet.cidr}")
    problem = address_index.problem(fields.ip, subnet, system_id)
    if problem is not None:
        code, found_there = problem
        no = Refusal("address_is_free", code, SubjectKind.ADDRESS, str(fields.ip), "", found_there)
        raise refused(no)
    return fields.ip, AddressKind.STATIC


def _check_alone(fields: LinkInput) -> None:
    if fields.ip is not None:
        raise NotTogether("ip", f"mode {fields.mode.value}", "only mode static takes an address")
