"""Looks up the subjects of a change by name; InvalidValue for unknown ones."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import Host, LibvirtNetwork, StoragePool
from hostloom.model.hypothetical import HypotheticalChange
from hostloom.model.network import Vlan
from hostloom.model.node import Node, NodeInterface

T = TypeVar("T", LibvirtNetwork, StoragePool)


def find_host(snapshot: Snapshot, change: HypotheticalChange) -> HostState:
    """The host of the change."""
    host_states = (host for host in snapshot.hosts if host.host.name == change.host)
    state = min(host_states, key=lambda host_state: host_state.host.id, default=None)
    if state is None:
        raise InvalidValue("host", change.host, "does not exist")
    return state


def find_node(snapshot: Snapshot, change: HypotheticalChange) -> Node:
    """The node of the change's host."""
    node = snapshot.node_of(find_host(snapshot, change).host)
    if node is None:
        raise InvalidValue("host", change.host, "has no known node, so that its interfaces are unknown")
    return node


def find_interface(node: Node, name: str, field: str = "interface") -> NodeInterface:
    """An interface of the node."""
    interface = next((interface for interface in node.interfaces if interface.name == name), None)
    if interface is None:
        raise InvalidValue(field, name, f"is not an interface of {node.hostname}")
    return interface


def find_vlan(snapshot: Snapshot, name: str, field: str = "vlan") -> Vlan:
    """A VLAN by FABRIC/VID."""
    fabric, _, vid = name.rpartition("/")
    fabrics = {candidate.id for candidate in snapshot.fabrics if candidate.name == fabric}
    vlans = (vlan for vlan in snapshot.vlans if vlan.fabric_id in fabrics and str(vlan.vid) == vid)
    vlan = min(vlans, key=lambda candidate: candidate.id, default=None)
    if vlan is None:
        raise InvalidValue(field, name, "is not a known VLAN", "name it FABRIC/VID")
    return vlan


def find_network(host: Host, name: str) -> LibvirtNetwork:
    """A libvirt network of the host."""
    return _find_part(host, host.libvirt_networks, "network", "libvirt network", name)


def find_pool(host: Host, name: str) -> StoragePool:
    """A storage pool of the host."""
    return _find_part(host, host.storage_pools, "pool", "storage pool", name)


def _find_part(host: Host, parts: Iterable[T], field: str, kind: str, name: str) -> T:
    part = next((part for part in parts if part.name == name), None)
    if part is None:
        raise InvalidValue(field, name, f"is not a {kind} of {host.name}")
    return part


def with_host(snapshot: Snapshot, state: HostState, host: Host) -> Snapshot:
    """Replace a host, and carry over the indexes of decisions."""
    later = HostState(host, state.machines)
    hosts = tuple(later if host is state else host for host in snapshot.hosts)
    return replace(snapshot, hosts=hosts).carry(snapshot, Delta(hosts={host.id: later}))


def with_interfaces(snapshot: Snapshot, node: Node, interfaces: Iterable[NodeInterface]) -> Snapshot:
    """Replace the interfaces of a node, and carry over the indexes of decisions."""
    later = replace(node, interfaces=tuple(interfaces))
    nodes = tuple(later if other is node else other for other in snapshot.nodes)
    return replace(snapshot, nodes=nodes).carry(snapshot, Delta(nodes={node.system_id: later}))
