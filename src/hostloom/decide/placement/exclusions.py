"""Why an interface cannot carry any machine: its state, its role, and its VLANs.

See docs/explanation/rules.md#interfaces-that-can-carry-a-machine.
"""

from collections.abc import Mapping
from typing import NamedTuple

from hostloom.decide.hosts.stacked_tags import is_tagged
from hostloom.decide.snapshot import Snapshot
from hostloom.model.host import LibvirtNetwork
from hostloom.model.ids import VlanId
from hostloom.model.network import UNTAGGED, Vlan
from hostloom.model.node import BridgeKind, BridgeVlans, InterfaceKind, InterfaceRole, NodeInterface
from hostloom.model.reasons import RejectionCode

#: The kernel's name for the master of all Open vSwitch ports.
_OVS = "ovs-system"


class Exclusion(NamedTuple):
    """A reason without its subject."""

    rule: str
    code: RejectionCode
    wanted: str = ""
    found: str = ""


_ROLES = {
    InterfaceRole.DSA_CONDUIT: Exclusion("is_no_conduit", RejectionCode.DSA_CONDUIT, "a port", "a conduit"),
    InterfaceRole.WIRELESS: Exclusion("is_wired", RejectionCode.WIRELESS, "a wired NIC", "Wi-Fi"),
    InterfaceRole.INFINIBAND: Exclusion("is_ethernet", RejectionCode.INFINIBAND, "Ethernet", "InfiniBand"),
    InterfaceRole.OVS_UNREADABLE: Exclusion(
        "is_readable", RejectionCode.OVS_UNREADABLE, "readable", "unreadable"
    ),
}


def interface_exclusion(
    interface: NodeInterface, by_name: Mapping[str, NodeInterface], master: str
) -> Exclusion | None:
    """Why the interface itself cannot carry a machine, regardless of VLANs."""
    if interface.kind is InterfaceKind.LOOPBACK:
        return Exclusion("is_no_loopback", RejectionCode.LOOPBACK, "a NIC", "the loopback")
    if not interface.enabled:
        return Exclusion("is_enabled", RejectionCode.INTERFACE_DISABLED, "enabled", "disabled")
    if not interface.link:
        return Exclusion("has_link", RejectionCode.INTERFACE_LINK_DOWN, "link up", "link down")
    if master:
        found = _membership(master, is_known=master in by_name)
        return Exclusion("is_no_member", RejectionCode.INTERFACE_IS_MEMBER, "no member", found)
    return _ROLES.get(interface.role)


def _membership(master: str, *, is_known: bool) -> str:
    if master == _OVS:
        return "a port of an Open vSwitch bridge that cannot be read"
    return f"a member of {master}: use {master}" if is_known else f"a member of {master}"


def vlan_exclusion(bridge: NodeInterface, vid: int | None) -> Exclusion | None:
    """Why machines on this VLAN of the bridge would not reach its ports."""
    vlans = bridge.bridge_vlans
    if vlans is None or vlans.tag_of(vid) is not None:
        return None
    wanted = "a VLAN that a port carries"
    if vid is None:
        return Exclusion("bridge_has_a_pvid", RejectionCode.BRIDGE_WITHOUT_PVID, wanted, "none")
    found = "the untagged VLAN" if vid == UNTAGGED else f"VLAN {vid} of the bridge"
    return Exclusion("vlan_is_carried", RejectionCode.VLAN_NOT_CARRIED, wanted, found)


def machine_vid(bridge: NodeInterface) -> int | None:
    """The VLAN of the bridge for a machine without a tag."""
    return UNTAGGED if bridge.bridge_vlans is None else bridge.bridge_vlans.machine_vid


def network_exclusion(network: LibvirtNetwork, bridge: NodeInterface | None) -> Exclusion | None:
    """Why the tag or bridge of a libvirt network gives its machines no VLAN."""
    if network.vid is None:
        return Exclusion("network_is_no_trunk", RejectionCode.NETWORK_IS_TRUNK, "one VLAN", "a trunk")
    if bridge is None:
        return None
    if network.vid == UNTAGGED:
        return vlan_exclusion(bridge, machine_vid(bridge))
    if _vlans_for_tags(bridge) is None:
        found = f"{bridge.name}, a Linux bridge without vlan_filtering,"
        return Exclusion("bridge_knows_vlans", RejectionCode.TAG_NOT_SUPPORTED, str(network.vid), found)
    return vlan_exclusion(bridge, network.vid)


def vlan_of_network(
    snapshot: Snapshot,
    network: LibvirtNetwork,
    bridge: NodeInterface | None,
    by_name: Mapping[str, NodeInterface],
) -> VlanId | None:
    """The VLAN of machines in the network; None if it is not known."""
    if bridge is None:
        return None
    vlan = snapshot.vlan_by_id.get(bridge.vlan_id or VlanId(0))
    if vlan is None or not network.vid:
        return bridge.vlan_id if network.vid == UNTAGGED else None
    return _tagged_vlan(snapshot, network, bridge, vlan, by_name)


def _tagged_vlan(
    snapshot: Snapshot,
    network: LibvirtNetwork,
    bridge: NodeInterface,
    vlan: Vlan,
    by_name: Mapping[str, NodeInterface],
) -> VlanId | None:
    """The VLAN of the tag that the network puts on frames, where the bridge is on `vlan`."""
    vlans = _vlans_for_tags(bridge)
    tag = None if vlans is None or network.vid is None else vlans.tag_of(network.vid)
    if vlans is None or tag is None:
        return None
    if tag == UNTAGGED and vlans.tag_of(vlans.machine_vid) in (UNTAGGED, None):
        return vlan.id
    if tag != UNTAGGED and is_tagged(bridge.name, by_name):
        return None
    tagged_vlan = snapshot.vlan_by_tag.get((vlan.fabric_id, tag))
    return None if tagged_vlan is None else tagged_vlan.id


def _vlans_for_tags(bridge: NodeInterface) -> BridgeVlans | None:
    """None for a bridge that cannot assign machines to VLANs by tag."""
    is_ovs = bridge.bridge_kind is BridgeKind.OVS
    return bridge.bridge_vlans or (BridgeVlans() if is_ovs else None)
