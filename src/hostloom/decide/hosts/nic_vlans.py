"""The VLAN of a NIC that hostloom did not attach, from its attachment and tag."""

from collections.abc import Mapping

from hostloom.decide.placement.exclusions import network_exclusion, vlan_of_network
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.host import Host, LibvirtNetwork
from hostloom.model.ids import VlanId
from hostloom.model.node import NodeInterface
from hostloom.model.observed import ObservedInterface


def vlan_of_nic(
    snapshot: Snapshot, host: Host, interfaces: Mapping[str, NodeInterface], nic: ObservedInterface
) -> VlanId | None:
    """The VLAN of a NIC; None if it has none, or if it is unknown."""
    source = nic.attachment.source
    if nic.attachment.kind is AttachKind.MACVLAN:
        interface = interfaces.get(source)
        return None if interface is None else interface.vlan_id
    if nic.attachment.kind is AttachKind.BRIDGE:
        return _on_bridge(snapshot, source, nic.vid, interfaces)
    network = next((network for network in host.libvirt_networks if network.name == source), None)
    if network is None or nic.attachment.kind is not AttachKind.NETWORK or network.bridge is None:
        return None
    if nic.vid == 0 and nic.portgroup:
        # The tag of a portgroup that is not the default shows only while the machine runs.
        return None
    return _on_bridge(snapshot, network.bridge, network.vid if nic.vid == 0 else nic.vid, interfaces)


def _on_bridge(
    snapshot: Snapshot, name: str, vid: int | None, interfaces: Mapping[str, NodeInterface]
) -> VlanId | None:
    bridge = interfaces.get(name)
    port = LibvirtNetwork("", active=True, bridge=name, dhcp=False, vid=vid)
    if bridge is None or network_exclusion(port, bridge) is not None:
        return None
    return vlan_of_network(snapshot, port, bridge, interfaces)
