"""A snapshot as the document of a world file."""

from typing import Any

from hostloom.decide.cases import vlan_text
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.decide.world import FORMAT
from hostloom.model.host import CorrelationState
from hostloom.model.network import AddressKind, Subnet
from hostloom.model.node import NodeInterface
from hostloom.model.request import GB


def dump_world(snapshot: Snapshot) -> dict[str, Any]:
    """The document; `read_world` makes an equal world of it, and every decision comes out the same."""
    hosts = {each.host.correlation.system_id for each in snapshot.hosts}
    nodes = [each for each in snapshot.nodes if each.system_id not in hosts]
    return {
        "world": FORMAT,
        "fabrics": [
            {
                "name": fabric.name,
                "id": fabric.id,
                "class": fabric.class_type,
                "vlans": [_vlan(snapshot, vlan.id) for vlan in snapshot.vlans if vlan.fabric_id == fabric.id],
            }
            for fabric in snapshot.fabrics
        ],
        "subnets": [_subnet(snapshot, each) for each in snapshot.subnets],
        "nodes": [
            {
                "name": node.hostname,
                "type": node.kind.value,
                "interfaces": [_interface(snapshot, each) for each in node.interfaces],
            }
            for node in nodes
        ],
        "hosts": [_host(snapshot, each) for each in snapshot.hosts],
    }


def _vlan(snapshot: Snapshot, vlan_id: Any) -> dict[str, Any]:
    vlan = snapshot.vlan_by_id[vlan_id]
    space = snapshot.space_by_id[vlan.space_id].name if vlan.space_id is not None else None
    return {
        "vid": vlan.vid,
        "id": vlan.id,
        "name": vlan.name,
        "space": space,
        "dhcp": vlan.dhcp_on,
        "relay": vlan_text(snapshot, vlan.relay_vlan_id),
        "mtu": vlan.mtu,
    }


def _subnet(snapshot: Snapshot, subnet: Subnet) -> dict[str, Any]:
    """Observed addresses are left out: they follow from the interfaces."""
    used = sorted(
        (h.ip for h in snapshot.held if h.subnet_id == subnet.id and h.kind is not AddressKind.OBSERVED),
        key=int,
    )
    return {
        "cidr": str(subnet.cidr),
        "id": subnet.id,
        "vlan": vlan_text(snapshot, subnet.vlan_id),
        "name": subnet.name,
        "gateway": str(subnet.gateway) if subnet.gateway is not None else None,
        "managed": subnet.managed,
        "ranges": [
            {"type": each.kind.value, "start": str(each.start), "end": str(each.end)}
            for each in snapshot.ranges_by_subnet.get(subnet.id, ())
        ],
        "used": [str(ip) for ip in used],
    }


def _interface(snapshot: Snapshot, interface: NodeInterface) -> dict[str, Any]:
    return {
        "name": interface.name,
        "id": interface.id,
        "type": interface.kind.value,
        "mac": str(interface.mac) if interface.mac is not None else None,
        "vlan": vlan_text(snapshot, interface.vlan_id),
        "addresses": [str(ip) for ip in interface.ips],
        "parents": list(interface.parents),
        "bridge_type": interface.bridge_kind.value if interface.bridge_kind else None,
        "enabled": interface.enabled,
        "link": interface.link,
        "mtu": interface.mtu,
        "link_speed": interface.link_speed,
        "tags": list(interface.tags),
    }


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
        "cpu_over_commit_ratio": host.cpu_over_commit_ratio,
        "memory_over_commit_ratio": host.memory_over_commit_ratio,
        "reachable": host.reachable,
        "interfaces": [_interface(snapshot, each) for each in (node.interfaces if node else ())],
        "libvirt_networks": [
            {
                "name": network.name,
                "active": network.active,
                "bridge": network.bridge,
                "dhcp": network.dhcp,
                "forward": network.forward.value if network.forward else None,
            }
            for network in host.libvirt_networks
        ],
        "storage_pools": [
            {
                "name": pool.name,
                "type": pool.kind,
                "total_gb": pool.total_bytes / GB,
                "free_gb": pool.free_bytes / GB,
                "default": pool.is_default,
                "tags": list(pool.tags),
            }
            for pool in host.storage_pools
            if pool.active
        ],
        "machines": [
            {
                "name": machine.name,
                "cores": machine.cores,
                "memory_mib": machine.memory_mib,
                "interfaces": [
                    {
                        "attach": nic.kind.value,
                        "source": nic.source,
                        "mode": nic.mode.value if nic.mode else None,
                    }
                    for nic in machine.interfaces
                ],
            }
            for machine in state.machines
        ],
    }
