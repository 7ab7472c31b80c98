"""Nodes and their interfaces: everything with a NIC that the inventory knows."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface

from hostloom.model.ids import (
    DEFAULT_GROUP,
    DomainId,
    InterfaceId,
    MacAddress,
    ResourcePoolId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.network import DEFAULT_MTU, Address


class NodeKind(StrEnum):
    """The kinds of nodes."""

    MACHINE = "machine"
    DEVICE = "device"
    RACK_CONTROLLER = "rack_controller"
    REGION_CONTROLLER = "region_controller"
    REGION_AND_RACK_CONTROLLER = "region_and_rack_controller"


class InterfaceKind(StrEnum):
    """The kinds of interfaces."""

    PHYSICAL = "physical"
    BOND = "bond"
    BRIDGE = "bridge"
    VLAN = "vlan"
    LOOPBACK = "loopback"


class LinkMode(StrEnum):
    """How an interface is linked to a subnet."""

    #: It has an address that hostloom chooses.
    AUTO = "auto"
    #: It has an address that a user chooses.
    STATIC = "static"
    #: It takes a lease.
    DHCP = "dhcp"
    #: It is up and has no address.
    LINK_UP = "link_up"


class InterfaceRole(StrEnum):
    """Uses of an interface that exclude machines."""

    ORDINARY = "ordinary"
    #: A bridge that a container engine made (docker0, cni0, …).
    CONTAINER_BRIDGE = "container-bridge"
    #: The NIC behind the ports of a DSA switch: its frames carry the switch's own tags.
    DSA_CONDUIT = "dsa-conduit"
    #: A Wi-Fi NIC: an access point drops frames from any MAC but the client's own.
    WIRELESS = "wireless"
    INFINIBAND = "infiniband"
    #: It belongs to Open vSwitch, and its database could not be read.
    OVS_UNREADABLE = "ovs-unreadable"


class BridgeKind(StrEnum):
    """The software that switches the frames of a bridge."""

    STANDARD = "standard"
    OVS = "ovs"


@dataclass(frozen=True, slots=True)
class BridgeVlans:
    """How a bridge that knows VLANs maps its own VLAN numbers to the tags on its ports.

    A bridge without VLAN filtering passes every frame unchanged, and has no such mapping.
    """

    #: The VLAN of a machine's untagged frames; None: such frames are dropped.
    machine_vid: int | None = 0
    #: The VLAN of the host's own frames, and so of the bridge's addresses.
    host_vid: int | None = 0
    #: The VLAN that has no tag on the ports.
    native_vid: int | None = 0
    #: Spans of VLANs that have their own number as tag on the ports.
    carried: tuple[tuple[int, int], ...] = ((1, 4094),)
    #: False: the ports' VLANs could not be read, and the other fields are the defaults of a bridge.
    is_read: bool = True

    def tag_of(self, vid: int | None) -> int | None:
        """The tag that a VLAN of the bridge has on the ports, 0 for none; None: no port carries it."""
        if vid is not None and vid == self.native_vid:
            return 0
        if vid and any(first <= vid <= last for first, last in self.carried):
            return vid
        return None


class VlanSource(StrEnum):
    """Where an interface's VLAN comes from, strongest first.

    See docs/explanation/rules.md#the-vlan-of-a-host-interface.
    """

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
    #: Carrier. True for a bridge without ports, which gets its carrier from its first machine.
    link: bool = True
    mtu: int = DEFAULT_MTU
    #: Mbit/s; 0: unknown.
    link_speed: int = 0
    tags: tuple[str, ...] = ()
    role: InterfaceRole = InterfaceRole.ORDINARY
    #: Its master if that is not a bridge or bond of this node, for example a failover pair.
    master: str = ""
    #: Of a bridge that knows VLANs.
    bridge_vlans: BridgeVlans | None = None
    #: The node's addresses on links without a record: macvlan and MACsec children of this interface. The
    #: loopback has the addresses of tunnels and dummies.
    child_addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    #: Next hops of the node's routes through it, which are addresses of routers.
    routers: tuple[Address, ...] = ()

    @property
    def ips(self) -> tuple[Address, ...]:
        """The addresses without their prefix lengths."""
        return tuple(address.ip for address in self.addresses)


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with interfaces that the inventory knows."""

    system_id: SystemId
    hostname: str
    kind: NodeKind
    interfaces: tuple[NodeInterface, ...] = ()
    zone_id: ZoneId = ZoneId(DEFAULT_GROUP)
    resource_pool_id: ResourcePoolId = ResourcePoolId(DEFAULT_GROUP)
    domain_id: DomainId = DomainId(DEFAULT_GROUP)
    tags: tuple[str, ...] = ()
    description: str = ""
    #: Seconds since the epoch of the last scan of its interfaces; None = never scanned.
    scanned_at: float | None = None
    generation: int = 1
