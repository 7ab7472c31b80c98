"""The VLAN of a NIC that another program attached."""

from dataclasses import replace
from typing import Any

import pytest

from hostloom.decide.hosts.nic_vlans import map_nic
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Correlation, CorrelationState, Host, LibvirtNetwork
from hostloom.model.ids import FabricId, HostId, InterfaceId, MacAddress, SystemId, VlanId
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
    mapping = map_nic(NETWORK, HOST, INTERFACES, nic)
    assert mapping.vlan_id == wanted
    assert bool(mapping.why_not) == (wanted is None)


MATCHED = replace(HOST, correlation=Correlation(CorrelationState.CORRELATED, SystemId("abc123")))


@pytest.mark.parametrize(
    ("kind", "source", "more", "why_not"),
    [
        ("bridge", "ovs", {"vid": 30}, "VLAN 30 on ovs is not recorded"),
        ("bridge", "ovs", {"vid": None}, "ovs gives it a trunk"),
        ("bridge", "br0", {"vid": 20}, "its tag is 20, but br0 has no vlan_filtering"),
        ("bridge", "lost", {}, "lost has no VLAN for untagged frames"),
        ("bridge", "gone", {}, "the host has no interface gone"),
        ("bridge", "new", {}, "`hostloom node interface update abc123 new --vlan VLAN` sets it"),
        ("macvlan", "new", {}, "`hostloom node interface update abc123 new --vlan VLAN` sets it"),
        ("macvlan", "gone", {}, "the host has no interface gone"),
        ("network", "plain", {"portgroup": "dmz"}, "the tag of portgroup dmz shows only while"),
        ("network", "macvtap", {}, "libvirt network macvtap has no bridge"),
        ("network", "gone", {}, "the host has no libvirt network gone"),
        ("other", "hostdev 0000:3b:02.1", {}, "it is attached by hostdev 0000:3b:02.1"),
    ],
)
def test_a_nic_without_a_vlan_says_why(kind: str, source: str, more: dict[str, Any], why_not: str) -> None:
    interfaces = INTERFACES | {"new": replace(INTERFACES["br0"], name="new", vlan_id=None)}
    mode = MacvlanMode.BRIDGE if kind == "macvlan" else None
    nic = ObservedInterface(
        MacAddress("52:54:00:00:00:01"), Attachment(AttachKind(kind), source, mode), **more
    )
    assert why_not in map_nic(NETWORK, MATCHED, interfaces, nic).why_not


def test_on_a_host_without_a_node_the_node_is_what_is_missing() -> None:
    nic = ObservedInterface(MacAddress("52:54:00:00:00:01"), Attachment(AttachKind.BRIDGE, "br0"))
    assert "it is not known which node kvm1 is" in map_nic(NETWORK, HOST, {}, nic).why_not
