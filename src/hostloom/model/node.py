"""Nodes and their interfaces: everything with a NIC that the inventory knows."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface

from hostloom.model.ids import DomainId, InterfaceId, MacAddress, ResourcePoolId, SystemId, VlanId, ZoneId
from hostloom.model.network import DEFAULT_MTU, Address


class NodeKind(StrEnum):
    """What a node is to us."""

    MACHINE = "machine"
    DEVICE = "device"
    RACK_CONTROLLER = "rack_controller"
    REGION_CONTROLLER = "region_controller"
    REGION_AND_RACK_CONTROLLER = "region_and_rack_controller"


class InterfaceKind(StrEnum):
    """What a node's interface is made of."""

    PHYSICAL = "physical"
    BOND = "bond"
    BRIDGE = "bridge"
    VLAN = "vlan"
    LOOPBACK = "loopback"


class BridgeKind(StrEnum):
    """Who switches the frames of a bridge."""

    STANDARD = "standard"
    OVS = "ovs"


class VlanSource(StrEnum):
    """Where an interface's VLAN comes from, strongest first (DESIGN 2.2a)."""

    OPERATOR = "operator"
    SUBNET = "subnet"
    PARENT = "parent"
    PORT = "port"
    MASTER = "master"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class NodeInterface:
    """A NIC, bond, bridge or VLAN interface of a node; of a KVM host it is a *host interface*."""

    id: InterfaceId
    name: str
    kind: InterfaceKind
    mac: MacAddress | None = None
    vlan_id: VlanId | None = None
    vlan_source: VlanSource = VlanSource.NONE
    #: With the prefix length as seen on the interface.
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    #: Names, on the same node: ports of a bridge, members of a bond, the parent of a VLAN interface.
    parents: tuple[str, ...] = ()
    bridge_kind: BridgeKind | None = None
    #: 802.1Q tag of a VLAN interface.
    tag_vid: int | None = None
    #: Administratively up.
    enabled: bool = True
    #: Carrier. A bridge without ports has none until its first machine: that is True here.
    link: bool = True
    mtu: int = DEFAULT_MTU
    #: Mbit/s; 0 = not known.
    link_speed: int = 0
    tags: tuple[str, ...] = ()

    @property
    def ips(self) -> tuple[Address, ...]:
        """The addresses without their prefix lengths."""
        return tuple(each.ip for each in self.addresses)


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with interfaces that the inventory knows."""

    system_id: SystemId
    hostname: str
    kind: NodeKind
    interfaces: tuple[NodeInterface, ...] = ()
    zone_id: ZoneId = ZoneId(1)
    resource_pool_id: ResourcePoolId = ResourcePoolId(1)
    domain_id: DomainId = DomainId(1)
    tags: tuple[str, ...] = ()
    description: str = ""
    #: Seconds since the epoch of the last scan of its interfaces; None = never scanned.
    scanned_at: float | None = None
    generation: int = 1
