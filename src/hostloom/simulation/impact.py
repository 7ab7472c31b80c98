"""Which machines a change of the world would hurt, NIC by NIC, and how."""

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
    """What is wrong for a machine that was not wrong before; the gravest first."""

    HOST_GONE = "host-gone"
    HOST_UNREACHABLE = "host-unreachable"
    HOST_AMBIGUOUS = "host-ambiguous"
    HOST_NOT_KNOWN = "host-not-known"
    #: The host has given out more than it has.
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
    #: The bridge, bond or VLAN interface no longer reaches a NIC with a link.
    UPLINK_GONE = "uplink-gone"
    VLAN_GONE = "vlan-gone"
    VLAN_CHANGED = "vlan-changed"
    #: Our DHCP served it; now no known server does.
    VLAN_NOT_SERVED = "vlan-not-served"


#: What bars a NIC's way into its host: there is no more to say of its interface.
_BARRED = frozenset({ImpactCode.NETWORK_GONE, ImpactCode.NETWORK_INACTIVE, ImpactCode.INTERFACE_GONE})


@dataclass(frozen=True, slots=True)
class Impact:
    """One thing that a change breaks for one machine."""

    machine: str
    host: str
    #: `eth0` is the machine's first NIC; empty where the whole machine is concerned.
    nic: str
    #: The bridge, parent or libvirt network that the NIC is on.
    source: str
    #: The host interface that is at fault: the source, or the bridge of the libvirt network.
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
    """What is wrong in `after` and was not in `before`, for every machine on a host of `before`.

    By host and machine in natural order. Hosts, VLANs and interfaces are the same ones if their ids are.
    """
    states = sorted(
        before.hosts, key=lambda host_state: (natural_key(host_state.host.name), host_state.host.id)
    )
    return tuple(harm for state in states if state.machines for harm in _of_host(before, after, state))


def _of_host(before: Snapshot, after: Snapshot, state: HostState) -> Iterator[Impact]:
    later = after.host_by_id.get(state.host.id)
    machines = sorted(state.machines, key=lambda placed: natural_key(placed.name))
    if later is None:
        for machine in machines:
            yield _harm(state, machine, _Fault(ImpactCode.HOST_GONE, "the host", "it would be gone"))
        return
    of_all = tuple(_host_faults(state, later))
    views = view_of(before, state), view_of(after, later)
    is_readable = not {ImpactCode.HOST_AMBIGUOUS, ImpactCode.HOST_NOT_KNOWN} & {
        fault.code for fault in of_all
    }
    for machine in machines:
        for fault in (*of_all, *_pool_faults(state, later, machine)):
            yield _harm(state, machine, fault)
        for at, nic in enumerate(machine.interfaces if is_readable else ()):
            for fault in _nic_faults(*views, nic):
                yield _harm(state, machine, fault, f"eth{at}", nic.source)


def _harm(state: HostState, machine: PlacedMachine, fault: _Fault, nic: str = "", source: str = "") -> Impact:
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
    was, now = before.host, after.host
    if was.reachable and not now.reachable:
        yield _Fault(ImpactCode.HOST_UNREACHABLE, "an answer", now.unreachable_cause or "it would not answer")
    if was.correlation.state is CorrelationState.CORRELATED:
        if now.correlation.state is CorrelationState.AMBIGUOUS:
            nodes = ", ".join(now.correlation.candidates) or "several"
            yield _Fault(ImpactCode.HOST_AMBIGUOUS, "one node", nodes)
        elif now.correlation.state is CorrelationState.UNKNOWN:
            yield _Fault(ImpactCode.HOST_NOT_KNOWN, "a known node", "none")
    yield from _overcommit(before, after, ImpactCode.CORES_OVER_COMMITTED, cores_left, "cores")
    yield from _overcommit(before, after, ImpactCode.MEMORY_OVER_COMMITTED, memory_left_mib, "MiB")


def _overcommit(
    before: HostState, after: HostState, code: ImpactCode, left_of: Callable[..., Number], unit: str
) -> Iterator[_Fault]:
    left = left_of(after.host, after.machines)
    if left < 0 <= left_of(before.host, before.machines):
        yield _Fault(
            code, f"room for all machines of {after.host.name}", f"{decimal_text(-left)} {unit} too few"
        )


def _pool_faults(before: HostState, after: HostState, machine: PlacedMachine) -> Iterator[_Fault]:
    """Of the storage pools that the machine has disks in."""
    was = {storage_pool.name: storage_pool for storage_pool in before.host.storage_pools}
    now = {storage_pool.name: storage_pool for storage_pool in after.host.storage_pools}
    for name in sorted(machine.reserved_bytes.keys() & was.keys(), key=natural_key):
        if name not in now:
            yield _Fault(ImpactCode.POOL_GONE, f"storage pool {name}", "none")
        elif bytes_left(was[name], before.machines) >= 0 > (left := bytes_left(now[name], after.machines)):
            wanted = f"room for all disks in storage pool {name}"
            yield _Fault(ImpactCode.POOL_OVER_COMMITTED, wanted, f"{gigabytes(-left)} GB too few")


# -- one NIC -----------------------------------------------------------------------------------------------


def _nic_faults(before: HostView, after: HostView, nic: PlacedInterface) -> Iterator[_Fault]:
    had = {_way_fault.code for _way_fault in _way_faults(before, nic)}
    fault = next((_way_fault for _way_fault in _way_faults(after, nic) if _way_fault.code not in had), None)
    if fault is not None:
        yield fault
    if fault is None or fault.code not in _BARRED:
        yield from _vlan_faults(before, after, nic)


def _way_faults(view: HostView, nic: PlacedInterface) -> Iterator[_Fault]:
    """What is wrong with the NIC's way into the host, the gravest first."""
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


def _reaches_wire(view: HostView, interface: NodeInterface, seen: frozenset[str]) -> bool:
    if interface.name in seen or not interface.enabled or not interface.link:
        return False
    if interface.kind is InterfaceKind.PHYSICAL:
        return True
    below = (view.by_name.get(name) for name in interface.parents)
    return any(each is not None and _reaches_wire(view, each, seen | {interface.name}) for each in below)


def _vlan_faults(before: HostView, after: HostView, nic: PlacedInterface) -> Iterator[_Fault]:
    interface = interface_of(before, nic)
    was, now = vlan_of(before, nic), vlan_of(after, nic)
    if interface is None or was is None:
        return
    name = before.snapshot.vlan_name(was)
    if was not in after.snapshot.vlan_by_id:
        yield _Fault(ImpactCode.VLAN_GONE, name, "none", interface.name)
    elif now != was:
        found = after.snapshot.vlan_name(now) or "none known"
        yield _Fault(ImpactCode.VLAN_CHANGED, name, found, interface.name)
    elif was in before.snapshot.bootable_vlans and was not in after.snapshot.bootable_vlans:
        yield _Fault(ImpactCode.VLAN_NOT_SERVED, name, "not served", interface.name)


def interface_of(view: HostView, nic: PlacedInterface) -> NodeInterface | None:
    """The host interface that the NIC is on; of a libvirt network its bridge, where we know it."""
    if nic.kind is not AttachKind.NETWORK:
        return view.by_name.get(nic.source)
    network = view.find_network(nic.source)
    return view.by_name.get(network.bridge or "") if network is not None else None


def vlan_of(view: HostView, nic: PlacedInterface) -> VlanId | None:
    """The VLAN that the NIC is on."""
    if nic.kind is AttachKind.NETWORK:
        return view.network_candidate(nic.source)[0].vlan_id
    interface = view.by_name.get(nic.source)
    return None if interface is None else interface.vlan_id
