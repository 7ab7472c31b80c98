"""The VLAN of a NIC that another program attached."""

from typing import Any

import pytest

from hostloom.decide.hosts.nic_vlans import vlan_of_nic
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Host, LibvirtNetwork
from hostloom.model.ids import FabricId, HostId, InterfaceId, MacAddress, VlanId
from hostloom.model.network import Fabric, Vlan
from hostloom.model.node import BridgeKind, BridgeVlans, InterfaceKind, NodeInterface
from hostloom.model.observed import ObservedInterface

NETWORK = Snapshot(
    fabrics=(Fabric(FabricId(1), "f"),),
    vlans=(Vlan(VlanId(1), FabricId(1), 0, "untagged"), Vlan(VlanId(20), FabricId(1), 20, "twenty")),
)


def bridge(name: str, kind: BridgeKind, vlans: BridgeVlans | None = None) -> NodeInterface:
    facts: dict[str, Any] = {"vlan_id": VlanId(1), "bridge_kind": kind, "bridge_vlans": vlans}
    return NodeInterface(InterfaceId(0), name, InterfaceKind.BRIDGE, **facts)


INTERFACES = {
    "ovs": bridge("ovs", BridgeKind.OVS, BridgeVlans()),
    "br0": bridge("br0", BridgeKind.STANDARD),
    "lost": bridge("lost", BridgeKind.STANDARD, BridgeVlans(machine_vid=None)),
    "eth1": NodeInterface(InterfaceId(0), "eth1", InterfaceKind.PHYSICAL, vlan_id=VlanId(20)),
}
HOST = Host(
    HostId(1),
    "kvm1",
    "qemu:///system",
    libvirt_networks=(
        LibvirtNetwork("tagged", True, "ovs", False, vid=20),
        LibvirtNetwork("plain", True, "ovs", False),
        LibvirtNetwork("macvtap", True, None, False, parents=("eth1",)),
    ),
)


@pytest.mark.parametrize(
    ("kind", "source", "more", "wanted"),
    [
        ("bridge", "br0", {}, 1),
        ("bridge", "ovs", {}, 1),
        ("bridge", "ovs", {"vid": 20}, 20),
        ("bridge", "ovs", {"vid": 30}, None),
        ("bridge", "ovs", {"vid": None}, None),
        ("bridge", "br0", {"vid": 20}, None),
        ("bridge", "lost", {}, None),
        ("bridge", "gone", {}, None),
        ("macvlan", "eth1", {}, 20),
        ("network", "tagged", {}, 20),
        ("network", "plain", {}, 1),
        ("network", "plain", {"vid": 20}, 20),
        ("network", "plain", {"portgroup": "dmz"}, None),
        ("network", "plain", {"portgroup": "dmz", "vid": 20}, 20),
        ("network", "macvtap", {}, None),
        ("network", "gone", {}, None),
        ("other", "hostdev 0000:3b:02.1", {}, None),
    ],
)
def test_the_vlan_of_a_nic(kind: str, source: str, more: dict[str, Any], wanted: int | None) -> None:
    mode = MacvlanMode.BRIDGE if kind == "macvlan" else None
    attachment = Attachment(AttachKind(kind), source, mode)
    nic = ObservedInterface(MacAddress("52:54:00:00:00:01"), attachment, **more)
    assert vlan_of_nic(NETWORK, HOST, INTERFACES, nic) == wanted
