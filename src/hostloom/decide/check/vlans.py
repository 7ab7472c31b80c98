"""Checks bridges with VLAN filtering, and libvirt networks that assign a VLAN."""

from collections.abc import Iterator

from hostloom.decide.check.scene import Scene
from hostloom.model.host import LibvirtNetwork
from hostloom.model.machine import MachineInterface
from hostloom.model.node import BridgeKind, InterfaceKind, NodeInterface


def leaves_untagged(bridge: NodeInterface) -> int | None:
    """The tag on the wire of a machine's untagged frames; None: they are dropped."""
    if bridge.bridge_vlans is None:
        return 0
    return _leaves(bridge, bridge.bridge_vlans.machine_vid)


def check_network_vlan(
    scene: Scene, nic: MachineInterface, network: LibvirtNetwork, bridge: NodeInterface | None
) -> Iterator[str]:
    """Whether the NIC is on the VLAN of its network, and the bridge supports that."""
    if network.vid is None:
        yield f"{nic.name}: {network.name} is a trunk"
        return
    if bridge is None:
        if nic.vlan_id is not None:
            yield f"{nic.name}: of {network.name} no VLAN is known"
        return
    if network.vid and bridge.bridge_vlans is None and bridge.bridge_kind is not BridgeKind.OVS:
        yield f"{nic.name}: {bridge.name} cannot tag"
        return
    wire = _leaves(bridge, network.vid) if network.vid else leaves_untagged(bridge)
    if wire is None:
        yield f"{nic.name}: {bridge.name} lets no frame of {network.name} out"
    elif nic.vlan_id != _expected(scene, bridge, network.vid, wire):
        yield f"{nic.name}: its VLAN is not that of {network.name}"


def _leaves(bridge: NodeInterface, vid: int | None) -> int | None:
    table = bridge.bridge_vlans
    if table is None:
        return vid
    if vid is None:
        return None
    if table.native_vid == vid:
        return 0
    return vid if vid > 0 and any(vid in range(low, high + 1) for low, high in table.carried) else None


def _expected(scene: Scene, bridge: NodeInterface, vid: int, wire: int) -> int | None:
    """The VLAN for a number: the bridge's own, or the one of its fabric with the tag on the wire."""
    own = None if bridge.vlan_id is None else scene.snapshot.vlan_by_id[bridge.vlan_id]
    if not vid or own is None:
        return bridge.vlan_id
    if wire == 0:
        if leaves_untagged(bridge) in (0, None):
            return own.id
    elif _below_a_tag(scene, bridge, 0):
        return None
    beside = [vlan for vlan in scene.snapshot.vlans if vlan.fabric_id == own.fabric_id and vlan.vid == wire]
    return beside[0].id if beside else None


def _below_a_tag(scene: Scene, interface: NodeInterface, depth: int) -> bool:
    if interface.kind is InterfaceKind.VLAN:
        return True
    if interface.kind is InterfaceKind.PHYSICAL or depth > len(scene.interfaces):
        return False
    ports = (scene.interfaces.get(name) for name in interface.parents)
    return any(port is not None and _below_a_tag(scene, port, depth + 1) for port in ports)
