"""Applies a hypothetical change to a snapshot (syntax: decide/changes/text.py)."""

from collections.abc import Callable

from hostloom.decide.changes import host as change_host
from hostloom.decide.changes import interface as change_interface
from hostloom.decide.changes import network as change_network
from hostloom.decide.snapshot import Snapshot
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange

_APPLY: dict[ChangeKind, Callable[[Snapshot, HypotheticalChange], Snapshot]] = {
    ChangeKind.SERVE_VLAN: change_network.serve_vlan,
    ChangeKind.LIBVIRT_DHCP_OFF: change_host.libvirt_dhcp_off,
    ChangeKind.START_NETWORK: change_host.start_network,
    ChangeKind.ADD_VLAN_INTERFACE: change_interface.add_vlan_interface,
    ChangeKind.ENABLE_INTERFACE: change_interface.enable_interface,
    ChangeKind.LINK_UP: change_interface.link_up,
    ChangeKind.FREE_ADDRESS: change_network.free_address,
    ChangeKind.RAISE_CPU_RATIO: change_host.raise_cpu_ratio,
    ChangeKind.RAISE_MEMORY_RATIO: change_host.raise_memory_ratio,
    ChangeKind.GROW_POOL: change_host.grow_pool,
    ChangeKind.REACH_HOST: change_host.reach_host,
    ChangeKind.CHOOSE_NODE: change_host.choose_node,
    # Changes of the request, not of the snapshot: decide/changes/request.py.
    ChangeKind.CHANGE_REQUEST: lambda snapshot, _: snapshot,
    ChangeKind.LOSE_INTERFACE: change_interface.lose_interface,
    ChangeKind.LOSE_VLAN: change_network.lose_vlan,
    ChangeKind.LOSE_HOST: change_host.lose_host,
    ChangeKind.STOP_SERVING_VLAN: change_network.stop_serving_vlan,
    ChangeKind.SET_MACVLAN_MODE: change_host.set_macvlan_mode,
    ChangeKind.SET_BRIDGE_PORTS: change_interface.set_bridge_ports,
    ChangeKind.MOVE_INTERFACE: change_interface.move_interface,
    ChangeKind.SET_INTERFACE_VLAN: change_interface.move_interface,
}


def apply(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """The snapshot with the change; InvalidValue for an unknown subject or an impossible change."""
    return _APPLY[change.kind](snapshot, change)
