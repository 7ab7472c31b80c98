"""What a change speaks of, looked up by name; what is not there is an InvalidValue that says so."""

from collections.abc import Iterable
from dataclasses import replace

from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.errors import InvalidValue
from hostloom.model.host import Host, LibvirtNetwork, StoragePool
from hostloom.model.hypothetical import HypotheticalChange
from hostloom.model.network import Vlan
from hostloom.model.node import Node, NodeInterface


def find_host(snapshot: Snapshot, change: HypotheticalChange) -> HostState:
    """The host that the change names."""
    found = (each for each in snapshot.hosts if each.host.name == change.host)
    state = min(found, key=lambda each: each.host.id, default=None)
    if state is None:
        raise InvalidValue("host", change.host, "does not exist")
    return state


def find_node(snapshot: Snapshot, change: HypotheticalChange) -> Node:
    """The node that the change's host is."""
    node = snapshot.node_of(find_host(snapshot, change).host)
    if node is None:
        raise InvalidValue("host", change.host, "has no known node, so that its interfaces are unknown")
    return node


def find_interface(node: Node, name: str, field: str = "interface") -> NodeInterface:
    """An interface of the node."""
    found = next((each for each in node.interfaces if each.name == name), None)
    if found is None:
        raise InvalidValue(field, name, f"is not an interface of {node.hostname}")
    return found


def find_vlan(snapshot: Snapshot, name: str, field: str = "vlan") -> Vlan:
    """A VLAN by FABRIC/VID."""
    fabric, _, vid = name.rpartition("/")
    fabrics = {each.id for each in snapshot.fabrics if each.name == fabric}
    found = (each for each in snapshot.vlans if each.fabric_id in fabrics and str(each.vid) == vid)
    vlan = min(found, key=lambda each: each.id, default=None)
    if vlan is None:
        raise InvalidValue(field, name, "is not a known VLAN", "name it FABRIC/VID")
    return vlan


def find_network(host: Host, name: str) -> LibvirtNetwork:
    """A libvirt network of the host."""
    found = next((each for each in host.libvirt_networks if each.name == name), None)
    if found is None:
        raise InvalidValue("network", name, f"is not a libvirt network of {host.name}")
    return found


def find_pool(host: Host, name: str) -> StoragePool:
    """A storage pool of the host."""
    found = next((each for each in host.storage_pools if each.name == name), None)
    if found is None:
        raise InvalidValue("pool", name, f"is not a storage pool of {host.name}")
    return found


def with_host(snapshot: Snapshot, state: HostState, host: Host) -> Snapshot:
    """The host is as given; what decisions have indexed is carried over."""
    later = HostState(host, state.machines)
    hosts = tuple(later if each is state else each for each in snapshot.hosts)
    return replace(snapshot, hosts=hosts).carry(snapshot, Delta(hosts={host.id: later}))


def with_interfaces(snapshot: Snapshot, node: Node, interfaces: Iterable[NodeInterface]) -> Snapshot:
    """The node has these interfaces; what decisions have indexed is carried over."""
    later = replace(node, interfaces=tuple(interfaces))
    nodes = tuple(later if each is node else each for each in snapshot.nodes)
    return replace(snapshot, nodes=nodes).carry(snapshot, Delta(nodes={node.system_id: later}))
