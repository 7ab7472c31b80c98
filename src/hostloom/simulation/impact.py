"""The impact of a hypothetical change on machines and their NICs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from hostloom.decide.placement.candidates import HostView, view_of
from hostloom.decide.request.storage import gigabytes
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.decimals import Number, decimal_text
from hostloom.model.host import (
    CorrelationState,
    PlacedInterface,
    PlacedMachine,
    bytes_left,
    cores_left,
    memory_left_mib,
)
from hostloom.model.ids import VlanId, natural_key
from hostloom.model.node import InterfaceKind, NodeInterface


class ImpactCode(StrEnum):
    """A new problem of a machine, in the order of severity."""

    HOST_GONE = "host-gone"
    HOST_UNREACHABLE = "host-unreachable"
    HOST_AMBIGUOUS = "host-ambiguous"
    HOST_NOT_KNOWN = "host-not-known"
    #: The machines exceed the capacity of the host.
    CORES_OVER_COMMITTED = "cores-over-committed"
    MEMORY_OVER_COMMITTED = "memory-over-committed"
    POOL_GONE = "pool-gone"
    POOL_OVER_COMMITTED = "pool-over-committed"
    NETWORK_GONE = "network-gone"
    NETWORK_INACTIVE = "network-inactive"
    INTERFACE_GONE = "interface-gone"
    INTERFACE_DISABLED = "interface-disabled"
    INTERFACE_LINK_DOWN = "interface-link-down"
    INTERFACE_IS_MEMBER = "interface-is-member"
    #: No NIC with a link remains below the bridge, bond or VLAN interface.
    UPLINK_GONE = "uplink-gone"
    VLAN_GONE = "vlan-gone"
    VLAN_CHANGED = "vlan-changed"
    #: No known DHCP server serves the VLAN any more.
    VLAN_NOT_SERVED = "vlan-not-served"


#: Faults that disconnect a NIC. They make faults of its VLAN irrelevant.
_BARRED = frozenset({ImpactCode.NETWORK_GONE, ImpactCode.NETWORK_INACTIVE, ImpactCode.INTERFACE_GONE})


@dataclass(frozen=True, slots=True)
class Impact:
    """One problem that a change causes for a machine."""

    machine: str
    host: str
    #: The NIC (`eth0` is the first one); empty if the whole machine is affected.
    nic: str
    #: The bridge, parent interface or libvirt network of the NIC.
    source: str
    #: The faulty host interface: the source, or the bridge of the libvirt network.
    interface: str
    code: ImpactCode
    wanted: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class _Fault:
    code: ImpactCode
    wanted: str
    found: str
    interface: str = ""


def impacts(before: Snapshot, after: Snapshot) -> tuple[Impact, ...]:
    """List the problems in `after` that `before` does not have, for every machine in `before`.

    The order is the natural order of hosts and machines. Ids identify hosts, VLANs and interfaces.
    """
    states = sorted(before.hosts, key=lambda state: (natural_key(state.host.name), state.host.id))
    return tuple(impact for state in states if state.machines for impact in _of_host(before, after, state))


def _of_host(before: Snapshot, after: Snapshot, state: HostState) -> Iterator[Impact]:
    later = after.host_by_id.get(state.host.id)
    machines = sorted(state.machines, key=lambda placed: natural_key(placed.name))
    if later is None:
        for machine in machines:
            yield _impact(state, machine, _Fault(ImpactCode.HOST_GONE, "the host", "it would be gone"))
        return
    host_faults = tuple(_host_faults(state, later))
    views = view_of(before, state), view_of(after, later)
    is_readable = not {ImpactCode.HOST_AMBIGUOUS, ImpactCode.HOST_NOT_KNOWN} & {
        fault.code for fault in host_faults
    }
    for machine in machines:
        for fault in (*host_faults, *_pool_faults(state, later, machine)):
            yield _impact(state, machine, fault)
        for index, nic in enumerate(machine.interfaces if is_readable else ()):
            for fault in _nic_faults(*views, nic):
                yield _impact(state, machine, fault, f"eth{index}", nic.source)


def _impact(
    state: HostState, machine: PlacedMachine, fault: _Fault, nic: str = "", source: str = ""
) -> Impact:
    return Impact(
        machine.name,
        state.host.name,
        nic,
        source,
        fault.interface,
        fault.code,
        fault.wanted,
        fault.found,
    )


# -- the host ----------------------------------------------------------------------------------------------


def _host_faults(before: HostState, after: HostState) -> Iterator[_Fault]:
    old_host, new_host = before.host, after.host
    if old_host.reachable and not new_host.reachable:
        yield _Fault(
            ImpactCode.HOST_UNREACHABLE, "an answer", new_host.unreachable_cause or "it would not answer"
        )
    if old_host.correlation.state is CorrelationState.CORRELATED:
        if new_host.correlation.state is CorrelationState.AMBIGUOUS:
            nodes = ", ".join(new_host.correlation.candidates) or "several"
            yield _Fault(ImpactCode.HOST_AMBIGUOUS, "one node", nodes)
        elif new_host.correlation.state is CorrelationState.UNKNOWN:
            yield _Fault(ImpactCode.HOST_NOT_KNOWN, "a known node", "none")
    yield from _overcommit(before, after, ImpactCode.CORES_OVER_COMMITTED, cores_left, "cores")
    yield from _overcommit(before, after, ImpactCode.MEMORY_OVER_COMMITTED, memory_left_mib, "MiB")


def _overcommit(
    before: HostState, after: HostState, code: ImpactCode, remaining_of: Callable[..., Number], unit: str
) -> Iterator[_Fault]:
    remaining = remaining_of(after.host, after.machines)
    if remaining < 0 <= remaining_of(before.host, before.machines):
        yield _Fault(
            code, f"room for all machines of {after.host.name}", f"{decimal_text(-remaining)} {unit} too few"
        )


def _pool_faults(before: HostState, after: HostState, machine: PlacedMachine) -> Iterator[_Fault]:
    """Check the storage pools with disks of a machine."""
    old_pools = {pool.name: pool for pool in before.host.storage_pools}
    new_pools = {pool.name: pool for pool in after.host.storage_pools}
    for name in sorted(machine.reserved_bytes.keys() & old_pools.keys(), key=natural_key):
        if name not in new_pools:
            yield _Fault(ImpactCode.POOL_GONE, f"storage pool {name}", "none")
        elif (
            bytes_left(old_pools[name], before.machines)
            >= 0
            > (remaining := bytes_left(new_pools[name], after.machines))
        ):
            requirement = f"room for all disks in storage pool {name}"
            yield _Fault(ImpactCode.POOL_OVER_COMMITTED, requirement, f"{gigabytes(-remaining)} GB too few")


# -- one NIC -----------------------------------------------------------------------------------------------


def _nic_faults(before: HostView, after: HostView, nic: PlacedInterface) -> Iterator[_Fault]:
    old_codes = {candidate.code for candidate in _attachment_faults(before, nic)}
    fault = next(
        (candidate for candidate in _attachment_faults(after, nic) if candidate.code not in old_codes), None
    )
    if fault is not None:
        yield fault
    if fault is None or fault.code not in _BARRED:
        yield from _vlan_faults(before, after, nic)


def _attachment_faults(view: HostView, nic: PlacedInterface) -> Iterator[_Fault]:
    """List the faults between a NIC and its host interface, in the order of severity."""
    name: str | None = nic.source
    if nic.kind is AttachKind.NETWORK:
        network = view.find_network(nic.source)
        if network is None:
            yield _Fault(ImpactCode.NETWORK_GONE, f"libvirt network {nic.source}", "none")
            return
        if not network.active:
            yield _Fault(ImpactCode.NETWORK_INACTIVE, "active", "inactive")
        name = network.bridge
    if name is not None:
        yield from _interface_faults(view, name)


def _interface_faults(view: HostView, name: str) -> Iterator[_Fault]:
    interface = view.by_name.get(name)
    if interface is None:
        yield _Fault(ImpactCode.INTERFACE_GONE, f"interface {name}", "none", name)
        return
    if not interface.enabled:
        yield _Fault(ImpactCode.INTERFACE_DISABLED, f"{name} enabled", "disabled", name)
    if not interface.link:
        yield _Fault(ImpactCode.INTERFACE_LINK_DOWN, f"{name} with link", "link down", name)
    if (master := view.masters.get(name)) is not None:
        yield _Fault(ImpactCode.INTERFACE_IS_MEMBER, f"{name} for itself", f"a member of {master}", name)
    if interface.kind is not InterfaceKind.PHYSICAL and not _reaches_wire(view, interface, frozenset()):
        yield _Fault(ImpactCode.UPLINK_GONE, f"a NIC with link below {name}", "none", name)


def _reaches_wire(view: HostView, interface: NodeInterface, visited: frozenset[str]) -> bool:
    if interface.name in visited or not interface.enabled or not interface.link:
        return False
    if interface.kind is InterfaceKind.PHYSICAL:
        return True
    parents = (view.by_name.get(name) for name in interface.parents)
    return any(
        parent is not None and _reaches_wire(view, parent, visited | {interface.name}) for parent in parents
    )


def _vlan_faults(before: HostView, after: HostView, nic: PlacedInterface) -> Iterator[_Fault]:
    interface = interface_of(before, nic)
    old_vlan, new_vlan = vlan_of(before, nic), vlan_of(after, nic)
    if interface is None or old_vlan is None:
        return
    name = before.snapshot.vlan_name(old_vlan)
    if old_vlan not in after.snapshot.vlan_by_id:
        yield _Fault(ImpactCode.VLAN_GONE, name, "none", interface.name)
    elif new_vlan != old_vlan:
        new_name = after.snapshot.vlan_name(new_vlan) or "none known"
        yield _Fault(ImpactCode.VLAN_CHANGED, name, new_name, interface.name)
    elif old_vlan in before.snapshot.bootable_vlans and old_vlan not in after.snapshot.bootable_vlans:
        yield _Fault(ImpactCode.VLAN_NOT_SERVED, name, "not served", interface.name)


def interface_of(view: HostView, nic: PlacedInterface) -> NodeInterface | None:
    """Return the host interface of a NIC. For a libvirt network this is its bridge, if known."""
    if nic.kind is not AttachKind.NETWORK:
        return view.by_name.get(nic.source)
    network = view.find_network(nic.source)
    return view.by_name.get(network.bridge or "") if network is not None else None


def vlan_of(view: HostView, nic: PlacedInterface) -> VlanId | None:
    """Return the VLAN of a NIC."""
    if nic.kind is AttachKind.NETWORK:
        return view.network_candidate(nic.source)[0].vlan_id
    interface = view.by_name.get(nic.source)
    return None if interface is None else interface.vlan_id
