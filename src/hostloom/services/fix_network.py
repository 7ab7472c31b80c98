"""A host's libvirt networks: their problems, previews of fixes, and fixes."""

from collections.abc import Mapping
from dataclasses import dataclass

from hostloom.decide.placement.libvirt_networks import NetworksVerdict, judge_networks
from hostloom.model.access import Principal
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.stale import PlanStale
from hostloom.model.errors.values import NotTogether
from hostloom.model.host import Host
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine, MachineOrigin
from hostloom.model.network_fix import FixPlan, FixStep, FixStepKind, LibvirtLease
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.ports.hypervisor import Hypervisors
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.fix_network import FIX_NETWORK, FixInput, fix_of, steps_or_refuse
from hostloom.sagas.saga import start_saga
from hostloom.services.access import require_admin, require_user
from hostloom.services.hosts import HOSTS


@dataclass(frozen=True)
class Losing:
    """A client that loses libvirt's DHCP: a machine on the network, or another client with a lease."""

    #: None: not known.
    machine: str | None
    origin: MachineOrigin | None
    mac: MacAddress | None
    #: None: no lease now, or unknown.
    lease: LibvirtLease | None


@dataclass(frozen=True)
class FixPreview:
    """The steps of a fix, and the clients that it affects."""

    plan: FixPlan
    losing: tuple[Losing, ...] = ()
    #: Why libvirt's leases could not be read; empty: they were read or not needed.
    leases_unread: str = ""


def networks(uow: UnitOfWork, principal: Principal, key: str) -> NetworksVerdict:
    """All libvirt networks of the host, each with the conditions that it does not meet."""
    require_user(principal, "see hosts")
    snapshot = uow.snapshot()
    return judge_networks(snapshot, snapshot.host_by_id[HOSTS.get(uow, principal, key).id])


def preview(
    ports: Ports, principal: Principal, key: str, network: str | None = None, bridge: str | None = None
) -> FixPreview:
    """Preview a fix, based on the last reading of the host; its leases are read now."""
    require_user(principal, "see hosts")
    _check_given(network, bridge)
    with ports.store.begin() as uow:
        host = HOSTS.get(uow, principal, key)
        plan = fix_of(uow, host.name, network, bridge)
        machines = uow.machines.of_host(host.id)
    if all(step.kind is not FixStepKind.LIBVIRT_DHCP_OFF for step in plan.steps):
        return FixPreview(plan)
    try:
        leases, unread = _leases(ports.hypervisors, host, plan.network), ""
    except DriverError as error:
        leases, unread = (), str(error)
    return FixPreview(plan, _losing(plan, machines, leases), unread)


def start(
    ports: Ports,
    principal: Principal,
    key: str,
    network: str | None = None,
    bridge: str | None = None,
    fix_steps: tuple[FixStep, ...] | None = None,
) -> Operation:
    """Record the operation that fixes the network; Refused, or PlanStale if its steps differ from `seen`."""
    require_admin(principal, "change hosts")
    _check_given(network, bridge)
    uuid = ports.ids.uuid()
    with ports.store.begin() as uow:
        host = HOSTS.get(uow, principal, key)
        steps = steps_or_refuse(fix_of(uow, host.name, network, bridge))
        if fix_steps is not None and fix_steps != steps:
            raise PlanStale(f"to fix host {host.name}", (), ["it comes to other steps now"])
        fix_input = FixInput(host.name, network, bridge, uuid, steps)
        operation = start_saga(uow, ports, principal, FIX_NETWORK, fix_input, f"host {host.name}")
        uow.commit()
    return operation


def _check_given(network: str | None, bridge: str | None) -> None:
    if network is not None and bridge is not None:
        raise NotTogether("make_maas", "network", "name a network to fix, or make a new one")


def _leases(hypervisors: Hypervisors, host: Host, network: str) -> tuple[LibvirtLease, ...]:
    return tuple(hypervisors.of(host.name, host.uri).networks.leases(network))


def _losing(plan: FixPlan, machines: list[Machine], leases: tuple[LibvirtLease, ...]) -> tuple[Losing, ...]:
    """The machines by name with their leased NICs, then clients that are not machines of the host."""
    by_mac = {lease.mac: lease for lease in leases}
    macs = {nic.mac for machine in machines for nic in machine.interfaces}
    machines_named = [machine for machine in machines if machine.hostname in plan.machines]
    losings = [losing for machine in machines_named for losing in _losing_nics(machine, by_mac)]
    return (*losings, *(Losing(None, None, lease.mac, lease) for lease in leases if lease.mac not in macs))


def _losing_nics(machine: Machine, by_mac: Mapping[MacAddress, LibvirtLease]) -> list[Losing]:
    """An entry for every leased NIC of the machine, or one entry for a machine without leases."""
    leased = [nic.mac for nic in machine.interfaces if nic.mac in by_mac]
    if not leased:
        return [Losing(machine.hostname, machine.origin, None, None)]
    return [Losing(machine.hostname, machine.origin, mac, by_mac[mac]) for mac in leased]
