"""Checks that NICs match their labels, and that their interfaces and VLANs can carry them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hostloom.decide.check.labels import Scene, unmet_keys
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import InstalledBy, LibvirtNetwork, PlacedInterface
from hostloom.model.machine import MachineInterface
from hostloom.model.node import BridgeKind, InterfaceKind, InterfaceRole, NodeInterface
from hostloom.model.request import LabelConstraints

#: The libvirt networks that a request can use without naming them.
_NETWORKS = ("maas", "default")


def check_nics(scene: Scene) -> Iterator[str]:
    """Check names, MACs, attachments and the constraints of labels."""
    plan = scene.plan
    names = [nic.name for nic in plan.interfaces]
    if names != ([label.name for label in scene.labels] or ["eth0"]):
        yield f"NICs {', '.join(names)} are not the request's"
    if len({nic.mac for nic in plan.interfaces}) != len(plan.interfaces):
        yield "two NICs share a MAC"
    for index, nic in enumerate(plan.interfaces):
        if nic.attachment.kind is AttachKind.NETWORK:
            yield from _on_network(scene, nic)
        else:
            yield from _on_interface(scene, nic)
        if index < len(scene.labels):
            yield from _as_labelled(scene, nic, scene.labels[index])
        elif not scene.labels:
            yield from _by_default(scene, nic)
    yield from _passthru(scene)


def _on_interface(scene: Scene, nic: MachineInterface) -> Iterator[str]:
    interface = scene.interfaces.get(nic.attachment.source)
    if interface is None:
        yield f"{nic.name}: {nic.attachment.source} is no host interface"
        return
    is_bridge = interface.kind is InterfaceKind.BRIDGE
    if nic.attachment.kind is not (AttachKind.BRIDGE if is_bridge else AttachKind.MACVLAN):
        yield f"{nic.name}: {interface.name} cannot be attached as {nic.attachment.kind}"
    if (nic.attachment.mode is None) is not is_bridge:
        yield f"{nic.name}: macvlan has a mode, nothing else has"
    if nic.attachment.ovs is not (is_bridge and interface.bridge_kind is BridgeKind.OVS):
        yield f"{nic.name}: Open vSwitch or not, {interface.name} is otherwise"
    if nic.vlan_id != interface.vlan_id:
        yield f"{nic.name}: its VLAN is not that of {interface.name}"
    if is_bridge and leaves_untagged(interface) is None:
        yield f"{nic.name}: {interface.name} lets no frame of a machine out"
    yield from _carries(scene, nic, interface)


def _carries(scene: Scene, nic: MachineInterface, interface: NodeInterface) -> Iterator[str]:
    if interface.kind is InterfaceKind.LOOPBACK or not interface.enabled or not interface.link:
        yield f"{nic.name}: {interface.name} cannot carry a machine"
    if interface.role not in (InterfaceRole.ORDINARY, InterfaceRole.CONTAINER_BRIDGE):
        yield f"{nic.name}: {interface.name} is {interface.role}"
    if interface.master:
        yield f"{nic.name}: {interface.name} is a member of {interface.master}"
    for other in scene.interfaces.values():
        if other.kind in (InterfaceKind.BRIDGE, InterfaceKind.BOND) and interface.name in other.parents:
            yield f"{nic.name}: {interface.name} is a member of {other.name}"


def _on_network(scene: Scene, nic: MachineInterface) -> Iterator[str]:
    network = _network(scene, nic)
    if network is None or not network.active:
        yield f"{nic.name}: no active network {nic.attachment.source}"
        return
    if nic.attachment.mode is not None or nic.attachment.ovs:
        yield f"{nic.name}: a network has no macvlan mode and no Open vSwitch port"
    if scene.is_known and network.dhcp:
        yield f"{nic.name}: libvirt's DHCP is on in {network.name}"
    bridge = scene.interfaces.get(network.bridge or "")
    if bridge is not None:
        yield from _carries(scene, nic, bridge)
    yield from check_network_vlan(scene, nic, network, bridge)


def _network(scene: Scene, nic: MachineInterface) -> LibvirtNetwork | None:
    networks = scene.state.host.libvirt_networks
    return next((network for network in networks if network.name == nic.attachment.source), None)


def _as_labelled(scene: Scene, nic: MachineInterface, label: LabelConstraints) -> Iterator[str]:
    yield from _as_attached(nic, label)
    yield from _mode(scene, nic, label.macvlan_mode)
    if nic.mac != (label.mac or nic.mac) or nic.model != (label.model or "virtio"):
        yield f"{nic.name}: another MAC or model is asked for"
    interface = _interface_below(scene, nic)
    hostname = scene.node.hostname if scene.node else ""
    for key in unmet_keys(scene.snapshot, hostname, interface, label):
        yield f"{nic.name}: {key} is not met"
    is_named = any(term.key in ("id", "name") and not term.negated for term in label.terms)
    if nic.attachment.kind is not AttachKind.NETWORK and not is_named and _is_for_containers(interface):
        yield f"{nic.name}: {nic.attachment.source} is for containers, and not asked for by name"


def _as_attached(nic: MachineInterface, label: LabelConstraints) -> Iterator[str]:
    attachment = nic.attachment
    if label.attach is not None and attachment.kind is not label.attach:
        yield f"{nic.name}: attach={label.attach} is asked for"
    if attachment.kind is not AttachKind.NETWORK:
        return
    if label.attach is None:
        yield f"{nic.name}: no network is asked for"
    if attachment.source not in ((label.network,) if label.network else _NETWORKS):
        yield f"{nic.name}: another network is asked for"


def _interface_below(scene: Scene, nic: MachineInterface) -> NodeInterface | None:
    """The host interface that carries the NIC. For a network it is the bridge, which determines the VLAN."""
    if nic.attachment.kind is not AttachKind.NETWORK:
        return scene.interfaces.get(nic.attachment.source)
    network = _network(scene, nic)
    bridge = scene.interfaces.get(network.bridge or "") if network else None
    return replace(bridge, vlan_id=nic.vlan_id) if bridge is not None else None


def _is_for_containers(interface: NodeInterface | None) -> bool:
    return interface is not None and interface.role is InterfaceRole.CONTAINER_BRIDGE


def _mode(scene: Scene, nic: MachineInterface, requested_mode: MacvlanMode | None) -> Iterator[str]:
    macvlan_mode = requested_mode or scene.state.host.default_macvlan_mode or MacvlanMode.BRIDGE
    if nic.attachment.kind is AttachKind.MACVLAN and nic.attachment.mode is not macvlan_mode:
        yield f"{nic.name}: its mode would be {macvlan_mode}"


def _by_default(scene: Scene, nic: MachineInterface) -> Iterator[str]:
    """The one NIC of a machine without interface constraints."""
    is_network = nic.attachment.kind is AttachKind.NETWORK
    is_served = nic.vlan_id in scene.snapshot.bootable_vlans
    if is_network and nic.attachment.source not in _NETWORKS:
        yield f"{nic.name}: a network that was not requested"
    source = scene.interfaces.get(nic.attachment.source)
    if not is_network and source is not None and source.role is InterfaceRole.CONTAINER_BRIDGE:
        yield f"{nic.name}: {source.name} is for containers"
    if not is_network and not is_served:
        yield f"{nic.name}: on a VLAN that our DHCP does not serve"
    if scene.is_known and scene.state.host.installed_by is InstalledBy.HOSTLOOM and not is_served:
        yield f"{nic.name}: a host of ours has it on a VLAN that our DHCP serves"
    if nic.model != "virtio":
        yield f"{nic.name}: another model than virtio"
    yield from _mode(scene, nic, None)


def _passthru(scene: Scene) -> Iterator[str]:
    users: dict[str, list[MacvlanMode | None]] = {}
    for source, mode in _users(scene):
        users.setdefault(source, []).append(mode)
    for nic in scene.plan.interfaces:
        if nic.attachment.kind is AttachKind.MACVLAN:
            users.setdefault(nic.attachment.source, []).append(nic.attachment.mode)
    planned = {nic.attachment.source for nic in scene.plan.interfaces}
    for source, modes in users.items():
        if source in planned and MacvlanMode.PASSTHRU in modes and len(modes) > 1:
            yield f"{source} is shared with a passthru machine"


def _users(scene: Scene) -> Iterator[tuple[str, MacvlanMode | None]]:
    """The NICs that use a host interface by macvtap; a passthrough network owns its interfaces."""
    networks = {network.name: network for network in scene.state.host.libvirt_networks}
    for network in networks.values():
        if network.active and network.passthrough:
            yield from ((parent, MacvlanMode.PASSTHRU) for parent in network.parents)
    for machine in scene.state.machines:
        for nic in machine.interfaces:
            yield from _used_by(nic, networks)


def _used_by(
    nic: PlacedInterface, networks: Mapping[str, LibvirtNetwork]
) -> Iterator[tuple[str, MacvlanMode | None]]:
    if nic.kind is AttachKind.MACVLAN:
        yield nic.source, nic.mode
    if nic.kind is AttachKind.NETWORK and nic.source in networks:
        yield from ((parent, None) for parent in networks[nic.source].parents)


def leaves_untagged(bridge: NodeInterface) -> int | None:
    """The tag on the wire for a machine's untagged frames; None: the bridge drops them."""
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
    bridge_vlan = None if bridge.vlan_id is None else scene.snapshot.vlan_by_id[bridge.vlan_id]
    if not vid or bridge_vlan is None:
        return bridge.vlan_id
    if wire == 0:
        if leaves_untagged(bridge) in (0, None):
            return bridge_vlan.id
    elif _below_a_tag(scene, bridge, 0):
        return None
    beside = [
        vlan for vlan in scene.snapshot.vlans if vlan.fabric_id == bridge_vlan.fabric_id and vlan.vid == wire
    ]
    return beside[0].id if beside else None


def _below_a_tag(scene: Scene, interface: NodeInterface, depth: int) -> bool:
    if interface.kind is InterfaceKind.VLAN:
        return True
    if interface.kind is InterfaceKind.PHYSICAL or depth > len(scene.interfaces):
        return False
    ports = (scene.interfaces.get(name) for name in interface.parents)
    return any(port is not None and _below_a_tag(scene, port, depth + 1) for port in ports)
