"""The VLAN of a NIC that hostloom did not attach, from its attachment and tag, or why it is not known."""

from collections.abc import Mapping
from dataclasses import dataclass

from hostloom.decide.placement.exclusions import network_exclusion, vlan_of_network
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.host import Host, LibvirtNetwork
from hostloom.model.ids import VlanId
from hostloom.model.node import NodeInterface
from hostloom.model.observed import ObservedInterface
from hostloom.model.reasons import RejectionCode

_EXCLUSIONS = {
    RejectionCode.NETWORK_IS_TRUNK: "{bridge} gives it a trunk, which is not one VLAN",
    RejectionCode.BRIDGE_WITHOUT_PVID: "{bridge} has no VLAN for untagged frames: no vlan_default_pvid",
    RejectionCode.VLAN_NOT_CARRIED: "no port of {bridge} carries {found}",
    RejectionCode.TAG_NOT_SUPPORTED: "its tag is {wanted}, but {bridge} has no vlan_filtering",
}


@dataclass(frozen=True, slots=True)
class NicMapping:
    """The VLAN of a NIC; if it has none or it is unknown, a sentence that says why and what to do."""

    vlan_id: VlanId | None
    why_not: str = ""


def vlan_of_nic(
    snapshot: Snapshot, host: Host, interfaces: Mapping[str, NodeInterface], nic: ObservedInterface
) -> VlanId | None:
    """The VLAN of a NIC; None if it has none, or if it is unknown."""
    return map_nic(snapshot, host, interfaces, nic).vlan_id


def map_nic(
    snapshot: Snapshot, host: Host, interfaces: Mapping[str, NodeInterface], nic: ObservedInterface
) -> NicMapping:
    """The VLAN of a NIC by the host's interfaces, by name."""
    source = nic.attachment.source
    if nic.attachment.kind is AttachKind.OTHER:
        return _unmapped(f"it is attached by {source}, which is no network of the host")
    if nic.attachment.kind is AttachKind.MACVLAN:
        interface = interfaces.get(source)
        if interface is None or interface.vlan_id is None:
            return _unmapped(_interface_text(source, host, interface))
        return NicMapping(interface.vlan_id)
    if nic.attachment.kind is AttachKind.BRIDGE:
        return _on_bridge(snapshot, host, source, nic.vid, interfaces)
    return _on_network(snapshot, host, interfaces, nic)


def _on_network(
    snapshot: Snapshot, host: Host, interfaces: Mapping[str, NodeInterface], nic: ObservedInterface
) -> NicMapping:
    source = nic.attachment.source
    network = host.find_network(source)
    if network is None:
        return _unmapped(f"the host has no libvirt network {source}")
    if network.bridge is None:
        return _unmapped(
            f"libvirt network {source} has no bridge: libvirt chooses an interface at each start"
        )
    if nic.vid == 0 and nic.portgroup:
        # The tag of a portgroup that is not the default shows only while the machine runs.
        return _unmapped(f"the tag of portgroup {nic.portgroup} shows only while the machine runs: start it")
    return _on_bridge(snapshot, host, network.bridge, network.vid if nic.vid == 0 else nic.vid, interfaces)


def _on_bridge(
    snapshot: Snapshot, host: Host, name: str, vid: int | None, interfaces: Mapping[str, NodeInterface]
) -> NicMapping:
    bridge = interfaces.get(name)
    if bridge is None:
        return _unmapped(_interface_text(name, host, bridge))
    port = LibvirtNetwork("", active=True, bridge=name, dhcp=False, vid=vid)
    exclusion = network_exclusion(port, bridge)
    if exclusion is not None:
        text = _EXCLUSIONS[exclusion.code]
        return _unmapped(text.format(bridge=name, wanted=exclusion.wanted, found=exclusion.found))
    vlan_id = vlan_of_network(snapshot, port, bridge, interfaces)
    if vlan_id is not None:
        return NicMapping(vlan_id)
    if vid and bridge.vlan_id is not None:
        return _unmapped(f"VLAN {vid} on {name} is not recorded: `hostloom vlan create` records it")
    return _unmapped(_interface_text(name, host, bridge))


def _interface_text(name: str, host: Host, interface: NodeInterface | None) -> str:
    """Why an interface of the host gives no VLAN."""
    if host.correlation.system_id is None:
        return f"it is not known which node {host.name} is: `hostloom host show {host.name}` says why"
    if interface is None:
        return f"the host has no interface {name}"
    command = f"hostloom node interface update {host.correlation.system_id} {name} --vlan VLAN"
    return f"the VLAN of {name} is not known: `{command}` sets it"


def _unmapped(why_not: str) -> NicMapping:
    return NicMapping(None, why_not)
