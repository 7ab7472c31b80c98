"""Conversion of a snapshot into a world file."""

from typing import Any

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import CorrelationState, LibvirtNetwork, PlacedMachine, StoragePool
from hostloom.model.network import AddressKind, Fabric, Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.request import GB
from hostloom.simulation.host_parts import TRUNK
from hostloom.simulation.world_file import FORMAT


def dump_world(snapshot: Snapshot) -> dict[str, Any]:
    """Make the document. `read_world` converts it into a snapshot with the same decisions."""
    hosts = {host.host.correlation.system_id for host in snapshot.hosts}
    nodes = [node for node in snapshot.nodes if node.system_id not in hosts]
    return {
        "world": FORMAT,
        "fabrics": [_fabric(snapshot, fabric) for fabric in snapshot.fabrics],
        "subnets": [_subnet(snapshot, subnet) for subnet in snapshot.subnets],
        "nodes": [_node(snapshot, node) for node in nodes],
        "hosts": [_host(snapshot, host) for host in snapshot.hosts],
    }


def _fabric(snapshot: Snapshot, fabric: Fabric) -> dict[str, Any]:
    return {
        "name": fabric.name,
        "id": fabric.id,
        "class": fabric.class_type,
        "vlans": [_vlan(snapshot, vlan) for vlan in snapshot.vlans if vlan.fabric_id == fabric.id],
    }


def _node(snapshot: Snapshot, node: Node) -> dict[str, Any]:
    return {
        "name": node.hostname,
        "type": node.kind.value,
        "interfaces": _interfaces(snapshot, node.interfaces),
    }


def _vlan(snapshot: Snapshot, vlan: Vlan) -> dict[str, Any]:
    space = snapshot.space_by_id[vlan.space_id].name if vlan.space_id is not None else None
    return {
        "vid": vlan.vid,
        "id": vlan.id,
        "name": vlan.name,
        "space": space,
        "dhcp": vlan.dhcp_on,
        "relay": snapshot.vlan_name(vlan.relay_vlan_id),
        "mtu": vlan.mtu,
        "foreign_dhcp": [str(server.server) for server in snapshot.foreign_by_vlan.get(vlan.id, ())],
        "probe": "silent" if vlan.id in snapshot.silent_vlans else None,
    }


def _subnet(snapshot: Snapshot, subnet: Subnet) -> dict[str, Any]:
    """Describe a subnet without observed addresses, which `read_world` derives from the interfaces."""
    used = sorted(
        (h.ip for h in snapshot.held if h.subnet_id == subnet.id and h.kind is not AddressKind.OBSERVED),
        key=int,
    )
    return {
        "cidr": str(subnet.cidr),
        "id": subnet.id,
        "vlan": snapshot.vlan_name(subnet.vlan_id),
        "name": subnet.name,
        "gateway": str(subnet.gateway) if subnet.gateway is not None else None,
        "managed": subnet.managed,
        "ranges": [
            {"type": ip_range.kind.value, "start": str(ip_range.start), "end": str(ip_range.end)}
            for ip_range in snapshot.ranges_by_subnet.get(subnet.id, ())
        ],
        "used": [str(ip) for ip in used],
    }


def _interfaces(snapshot: Snapshot, interfaces: tuple[NodeInterface, ...]) -> list[dict[str, Any]]:
    names = {interface.name for interface in interfaces}
    return [_interface(snapshot, interface, names) for interface in interfaces]


def _interface(snapshot: Snapshot, interface: NodeInterface, names: set[str]) -> dict[str, Any]:
    """Describe an interface. Omits parents that hostloom does not model, such as dummy interfaces."""
    document: dict[str, Any] = {
        "name": interface.name,
        "id": interface.id,
        "type": interface.kind.value,
        "mac": str(interface.mac) if interface.mac is not None else None,
        "vlan": snapshot.vlan_name(interface.vlan_id),
        "addresses": [str(ip) for ip in interface.ips],
        "parents": [parent for parent in interface.parents if parent in names],
        "bridge_type": interface.bridge_kind.value if interface.bridge_kind else None,
        "enabled": interface.enabled,
        "link": interface.link,
        "mtu": interface.mtu,
        "link_speed": interface.link_speed,
        "tags": list(interface.tags),
        "role": interface.role.value,
        "master": interface.master,
        "child_addresses": [str(address.ip) for address in interface.child_addresses],
        "routers": [str(ip) for ip in interface.routers],
    }
    vlans = interface.bridge_vlans
    if vlans is not None:
        document["bridge_vlans"] = {
            "machines": vlans.machine_vid,
            "host": vlans.host_vid,
            "native": vlans.native_vid,
            "carried": [f"{lowest}-{highest}" for lowest, highest in vlans.carried],
            "read": vlans.is_read,
        }
    return document


def _host(snapshot: Snapshot, state: HostState) -> dict[str, Any]:
    host = state.host
    node = snapshot.node_of(host)
    return {
        "name": host.name,
        "id": host.id,
        "address": host.uri,
        "known": host.correlation.state is not CorrelationState.UNKNOWN,
        "installed_by": host.installed_by.value,
        "default_macvlan_mode": host.default_macvlan_mode.value if host.default_macvlan_mode else None,
        "architectures": list(host.architectures),
        "cores": host.cores,
        "memory_mib": host.memory_mib,
        "cpu_over_commit_ratio": float(host.cpu_over_commit_ratio),
        "memory_over_commit_ratio": float(host.memory_over_commit_ratio),
        "zone": _group(host.zone_id),
        "resource_pool": _group(host.resource_pool_id),
        "tags": list(host.tags),
        "reachable": host.reachable,
        "interfaces": _interfaces(snapshot, node.interfaces if node else ()),
        "libvirt_networks": [_network(libvirt_network) for libvirt_network in host.libvirt_networks],
        "storage_pools": [_pool(storage_pool) for storage_pool in host.storage_pools],
        "machines": [_machine(machine) for machine in state.machines],
    }


def _group(number: int) -> str:
    """Name a zone or resource pool by its id, because a snapshot does not have their names."""
    return "default" if number == 1 else str(number)


def _network(network: LibvirtNetwork) -> dict[str, Any]:
    return {
        "name": network.name,
        "active": network.active,
        "bridge": network.bridge,
        "dhcp": network.dhcp,
        "forward": network.forward.value if network.forward else None,
        "vid": TRUNK if network.vid is None else network.vid,
        "parents": list(network.parents),
        "passthrough": network.passthrough,
    }


def _pool(pool: StoragePool) -> dict[str, Any]:
    return {
        "name": pool.name,
        "type": pool.kind,
        "total_gb": pool.total_bytes / GB,
        "free_gb": pool.free_bytes / GB,
        "default": pool.is_default,
        "active": pool.active,
        "tags": list(pool.tags),
    }


def _machine(machine: PlacedMachine) -> dict[str, Any]:
    return {
        "name": machine.name,
        "cores": machine.cores,
        "memory_mib": machine.memory_mib,
        "interfaces": [
            {"attach": nic.kind.value, "source": nic.source, "mode": nic.mode.value if nic.mode else None}
            for nic in machine.interfaces
        ],
        "reserved_gb": {pool: size / GB for pool, size in machine.reserved_bytes.items()},
    }
