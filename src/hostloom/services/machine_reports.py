"""Takes hardware reports: updates a known machine, or enlists a new one; a token is valid once."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from hostloom.decide.explain.boot import render_difference_found
from hostloom.decide.hosts.inventory import take_inventory
from hostloom.decide.machines.commissioning import (
    AfterReport,
    CommissioningDifference,
    asks_to_commission,
    differences_from_before,
    differences_from_plan,
    next_step,
)
from hostloom.decide.snapshot import Snapshot
from hostloom.model.commissioning import BootToken, Commissioning, FoundHardware, FoundNic, hash_secret
from hostloom.model.errors.permissions import ReportRefused, TooManyRequests
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.errors.stale import Stale
from hostloom.model.event import Event, machine_subject, node_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine, MachineOrigin, MachineState
from hostloom.model.network import DEFAULT_MTU
from hostloom.model.node import InterfaceKind, Node
from hostloom.model.observed import ObservedLink, ObservedNetwork
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import ROW_ATTEMPTS
from hostloom.recording.hostnames import free_hostname

#: UUIDs that several boards share because they have no unique one.
_SHARED_UUIDS = frozenset(
    {
        "",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "03000200-0400-0500-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
    }
)


def take_report(ports: Ports, secret: str, hardware: FoundHardware) -> AfterReport:
    """Record the report and return what the machine does next; ReportRefused without any change."""
    left = ROW_ATTEMPTS
    while True:
        left -= 1
        try:
            with ports.store.begin() as uow:
                after = _take(uow, ports, secret, hardware)
                uow.commit()
                return after
        except (Stale, AlreadyExists):  # a parallel report of the same machine was faster
            if not left:
                raise


def temporary_name(macs: Sequence[MacAddress]) -> str:
    """The name of a machine without a name: its lowest MAC."""
    return f"m-{min(macs).text.replace(':', '')}"


def _take(uow: UnitOfWork, ports: Ports, secret: str, hardware: FoundHardware) -> AfterReport:
    # A machine that boots through two NICs at once reports twice; both reports must see each other's changes.
    uow.lock_world()
    token = uow.commissionings.spend(hash_secret(secret), ports.clock.now())
    if token is None or token.mac not in {nic.mac for nic in hardware.nics}:
        raise ReportRefused
    machine = _known(uow, token, hardware)
    if machine is not None:
        return _record(uow, ports, machine, hardware, unasked=token.system_id is None)
    node = next((node for nic in hardware.nics if (node := uow.nodes.find_by_mac(nic.mac))), None)
    if node is not None:
        return _record_node(uow, ports, node, hardware)
    return _enlist(uow, ports, hardware)


def _known(uow: UnitOfWork, token: BootToken, hardware: FoundHardware) -> Machine | None:
    """The machine to which the script was served, else one with any of the MACs or the UUID."""
    if token.system_id is not None:
        return uow.machines.get(token.system_id)
    for nic in hardware.nics:
        if (machine := uow.machines.find_by_mac(nic.mac)) is not None:
            return machine
    return None if _uuid(hardware) is None else uow.machines.find_by_smbios(hardware.uuid.lower())


def _uuid(hardware: FoundHardware) -> str | None:
    uuid = hardware.uuid.lower()
    return None if uuid in _SHARED_UUIDS else uuid


# -- known machines --------------------------------------------------------------------------------------


def _record(
    uow: UnitOfWork, ports: Ports, machine: Machine, hardware: FoundHardware, *, unasked: bool
) -> AfterReport:
    now = ports.clock.now()
    differences = _differences(uow, machine, hardware)
    uow.commissionings.put(Commissioning(machine.system_id, now, hardware))
    changed = machine if unasked else _settled(machine)
    if machine.origin is MachineOrigin.ENLISTED:
        _record_nics(uow, machine, hardware.nics)
        changed = _of_hardware(changed, hardware)
    if changed != machine:
        uow.machines.update(changed)
    _tell(uow, now, machine, hardware, differences)
    return next_step(machine.origin, just_enlisted=unasked)


def _differences(
    uow: UnitOfWork, machine: Machine, hardware: FoundHardware
) -> tuple[CommissioningDifference, ...]:
    """Differences from the plan of a composed machine, or from the last report of any other machine."""
    if machine.origin is MachineOrigin.COMPOSED:
        return differences_from_plan(machine, hardware, uow.snapshot().bootable_vlans)
    before = uow.commissionings.of([machine.system_id]).get(machine.system_id)
    return () if before is None else differences_from_before(before.hardware, hardware)


def _settled(machine: Machine) -> Machine:
    """The state after a report; while a compose runs, only the saga changes the machine's state."""
    if machine.commission_by is None and not asks_to_commission(machine):
        return machine
    state = machine.state
    if machine.commission_by is not None and state is MachineState.COMMISSIONING:
        state = MachineState.READY
    next_boot = None if asks_to_commission(machine) else machine.next_boot
    return replace(machine, state=state, next_boot=next_boot, commission_by=None)


def _of_hardware(machine: Machine, hardware: FoundHardware) -> Machine:
    """The record of a bare machine, updated from its report."""
    return replace(
        machine, cores=hardware.cores, memory_mib=hardware.memory_mib, architecture=hardware.architecture
    )


def _tell(
    uow: UnitOfWork,
    now: float,
    machine: Machine,
    hardware: FoundHardware,
    differences: Sequence[CommissioningDifference],
) -> None:
    subject = machine_subject(machine)
    details = {
        "cores": hardware.cores,
        "memory_mib": hardware.memory_mib,
        "firmware": hardware.firmware,
        "macs": [str(nic.mac) for nic in hardware.nics],
    }
    text = f"reported {hardware.uptime_s:.1f} s after its kernel started"
    uow.events.add(Event(EventKind.MACHINE_COMMISSIONED, subject, text, now, details=details))
    if differences:
        words = "; ".join(render_difference_found(difference) for difference in differences)
        codes = [
            {
                "code": difference.code.value,
                "subject": difference.subject,
                "wanted": difference.wanted,
                "found": difference.found,
            }
            for difference in differences
        ]
        text, details = f"it has {words}", {"differences": codes}
        uow.events.add(Event(EventKind.MACHINE_DIFFERS, subject, text, now, details=details))


def _record_node(uow: UnitOfWork, ports: Ports, node: Node, hardware: FoundHardware) -> AfterReport:
    """Record the new NICs of a host, controller or device; its kind does not change."""
    now = ports.clock.now()
    uow.commissionings.put(Commissioning(node.system_id, now, hardware))
    text = "it booted from the network by a NIC that was not known, reported what it is, and was let go"
    uow.events.add(Event(EventKind.NODE_REPORTED, node_subject(node), text, now))
    return AfterReport.REBOOT


# -- unknown machines ------------------------------------------------------------------------------------


def _enlist(uow: UnitOfWork, ports: Ports, hardware: FoundHardware) -> AfterReport:
    """Enlist a new machine, which waits for an operator; TooManyRequests if too many are waiting."""
    now = ports.clock.now()
    if (
        sum(machine.state is MachineState.NEW for machine in uow.machines.list())
        >= ports.settings.max_new_machines
    ):
        raise TooManyRequests("machines that wait as new", 600)
    machine = Machine(
        system_id=ports.ids.system_id(),
        hostname=free_hostname(uow, temporary_name([nic.mac for nic in hardware.nics])),
        uuid=_uuid(hardware) or ports.ids.uuid(),
        origin=MachineOrigin.ENLISTED,
        state=MachineState.NEW,
        host_id=None,
        architecture=hardware.architecture,
        cores=hardware.cores,
        memory_mib=hardware.memory_mib,
    )
    uow.machines.add(machine)
    _record_nics(uow, machine, hardware.nics)
    uow.commissionings.put(Commissioning(machine.system_id, now, hardware))
    text = f"booted from the network unasked; `hostloom machine commission {machine.hostname}` takes it in"
    details = {
        "macs": [str(nic.mac) for nic in hardware.nics],
        "vendor": hardware.vendor,
        "product": hardware.product,
    }
    uow.events.add(Event(EventKind.MACHINE_ENLISTED, machine_subject(machine), text, now, details=details))
    return next_step(machine.origin, just_enlisted=True)


def _record_nics(uow: UnitOfWork, machine: Machine, nics: Sequence[FoundNic]) -> None:
    """Record the reported NICs as interfaces, each on the VLAN of its DHCP address.

    The addresses are not stored: they are leases, which are recorded separately and may change owners.
    """
    snapshot = uow.snapshot()
    observed_network = ObservedNetwork(machine.hostname, tuple(_link(snapshot, nic) for nic in nics))
    inventory = take_inventory(observed_network, uow.nodes.get(machine.system_id), snapshot)
    uow.nodes.replace_interfaces(
        machine.system_id, [replace(interface, addresses=()) for interface in inventory.interfaces]
    )


def _link(snapshot: Snapshot, nic: FoundNic) -> ObservedLink:
    """The NIC as a link; its DHCP address gets the prefix length of its known subnet, if there is one."""
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    if nic.dhcp is not None:
        ip = nic.dhcp.ip
        lengths = [subnet.cidr.prefixlen for subnet in snapshot.subnets if ip in subnet.cidr]
        addresses = tuple(ip_interface(f"{ip}/{length}") for length in sorted(lengths)[-1:])
    return ObservedLink(
        nic.name,
        InterfaceKind.PHYSICAL,
        nic.mac,
        True,
        nic.carrier,
        DEFAULT_MTU,
        addresses,
        link_speed=nic.link_speed,
    )
