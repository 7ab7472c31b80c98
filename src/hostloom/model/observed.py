"""What the adapters saw: a host through libvirt, a host's links, a machine as it is now."""

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_address

from hostloom.model.attachment import Attachment, MacvlanMode
from hostloom.model.finding import Finding
from hostloom.model.host import Emulation, LibvirtNetwork, StoragePool
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, PowerState
from hostloom.model.network import Address, Network
from hostloom.model.node import BridgeKind, BridgeVlans, InterfaceKind, InterfaceRole


@dataclass(frozen=True, slots=True)
class ObservedInterface:
    """A NIC of a machine as the hypervisor shows it."""

    mac: MacAddress
    attachment: Attachment
    #: The tap or macvtap device on the host while the machine runs.
    target: str = ""
    model: str = ""
    #: The VLAN tag that the network sets on its bridge; 0: no tag; None: a trunk.
    vid: int | None = 0
    #: The portgroup of its libvirt network that it names.
    portgroup: str = ""


@dataclass(frozen=True, slots=True)
class ObservedMachine:
    """A machine as the hypervisor shows it."""

    uuid: str
    name: str
    cores: int
    memory_mib: int
    power: PowerState
    architecture: str
    interfaces: tuple[ObservedInterface, ...] = ()
    disks: tuple[Disk, ...] = ()
    #: Our mark in its metadata: the system id we gave it, or None.
    system_id: str | None = None
    #: Its memory is of the host's huge pages.
    has_huge_pages: bool = False
    #: Whether the host starts it with itself; None: not read.
    autostart: bool | None = None


@dataclass(frozen=True, slots=True)
class ObservedHost:
    """A host as libvirt shows it, read in bulk."""

    hostname: str
    cores: int
    #: Without the huge pages that no machine has.
    memory_mib: int
    emulations: tuple[Emulation, ...]
    storage_pools: tuple[StoragePool, ...]
    libvirt_networks: tuple[LibvirtNetwork, ...]
    machines: tuple[ObservedMachine, ...]
    #: What could not be read as expected.
    findings: tuple[Finding, ...] = ()
    #: False: libvirt did not list its storage pools, and `storage_pools` is not all of them.
    pools_listed: bool = True
    #: False: libvirt did not list its networks.
    networks_listed: bool = True
    #: False: libvirt did not list its machines, or not all that there are.
    machines_listed: bool = True
    #: UUIDs of machines that are there but could not be read: what was recorded of them stays.
    unread: tuple[str, ...] = ()
    #: Memory that the host keeps as huge pages: only machines that ask libvirt for them get any.
    huge_pages_mib: int = 0
    #: libvirt's UUID of the host; empty: none, or one that many hosts share (decide/hosts/host_identity.py).
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class ObservedLink:
    """A link of a host as the kernel (or Open vSwitch) shows it; NICs of guests and loopback included."""

    name: str
    #: None: a link that carries no machine and is not inventoried (tap, macvtap, veth of a container …).
    kind: InterfaceKind | None
    mac: MacAddress | None
    enabled: bool
    link: bool
    mtu: int
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    #: Ports, members, or the parent of a VLAN interface or of a guest's macvtap.
    parents: tuple[str, ...] = ()
    bridge_kind: BridgeKind | None = None
    tag_vid: int | None = None
    link_speed: int = 0
    #: The bridge, bond or Open vSwitch bridge that this link is a port of, whatever its kind.
    master: str = ""
    #: Of a macvtap.
    macvlan_mode: MacvlanMode | None = None
    role: InterfaceRole = InterfaceRole.ORDINARY
    #: Of a bridge that knows VLANs.
    bridge_vlans: BridgeVlans | None = None
    #: As in NodeInterface.
    child_addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    routers: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedRoute:
    """A route of a host."""

    destination: Network | None
    gateway: str
    interface: str
    #: The lowest wins.
    metric: int = 0

    @property
    def next_hop(self) -> Address | None:
        """The gateway; None where the route has none, or what it has is no address."""
        try:
            return ip_address(self.gateway)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class ObservedNetwork:
    """A host's links and routes at one moment."""

    hostname: str
    links: tuple[ObservedLink, ...]
    routes: tuple[ObservedRoute, ...] = ()
    #: What could not be read as expected.
    findings: tuple[Finding, ...] = ()
    #: Names of links that are there but could not be read: what was recorded of them stays.
    unread: tuple[str, ...] = ()
