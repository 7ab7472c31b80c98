"""Observations of the adapters: a host through libvirt, its links, and its machines."""

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
    """A NIC of a machine, as the hypervisor reports it."""

    mac: MacAddress
    attachment: Attachment
    #: The tap or macvtap device on the host while the machine runs.
    target: str = ""
    model: str = ""
    #: The VLAN tag that the network sets on its bridge; 0: no tag; None: a trunk.
    vid: int | None = 0
    #: The portgroup of its libvirt network, if any.
    portgroup: str = ""


@dataclass(frozen=True, slots=True)
class ObservedMachine:
    """A machine, as the hypervisor reports it."""

    uuid: str
    name: str
    cores: int
    memory_mib: int
    power: PowerState
    architecture: str
    interfaces: tuple[ObservedInterface, ...] = ()
    disks: tuple[Disk, ...] = ()
    #: The system id in its metadata, which hostloom wrote there; None: it has none.
    system_id: str | None = None
    #: Whether its memory comes from the host's huge pages.
    has_huge_pages: bool = False
    #: Whether the host starts it with itself; None: not read.
    autostart: bool | None = None


@dataclass(frozen=True, slots=True)
class ObservedHost:
    """A host, as libvirt reports it in one reading."""

    hostname: str
    cores: int
    #: Unused huge pages are not included.
    memory_mib: int
    emulations: tuple[Emulation, ...]
    storage_pools: tuple[StoragePool, ...]
    libvirt_networks: tuple[LibvirtNetwork, ...]
    machines: tuple[ObservedMachine, ...]
    #: What could not be read as expected.
    findings: tuple[Finding, ...] = ()
    #: False: libvirt did not list its storage pools, so `storage_pools` is incomplete.
    pools_listed: bool = True
    #: False: libvirt did not list its networks.
    networks_listed: bool = True
    #: False: libvirt did not list its machines, or not all of them.
    machines_listed: bool = True
    #: UUIDs of unreadable machines, which keep their records.
    unread: tuple[str, ...] = ()
    #: Memory in huge pages, which only machines that request them from libvirt get.
    huge_pages_mib: int = 0
    #: libvirt's UUID of the host; empty: none, or one that many hosts share (decide/hosts/host_identity.py).
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class ObservedLink:
    """A link of a host, as the kernel or Open vSwitch reports it, including guests' NICs and loopback."""

    name: str
    #: None: a link that is not inventoried, because it cannot carry a machine (tap, macvtap, veth, …).
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
    #: The route with the lowest metric is used.
    metric: int = 0

    @property
    def next_hop(self) -> Address | None:
        """The gateway; None if the route has none, or if it is not an address."""
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
    #: Names of unreadable links, which keep their records.
    unread: tuple[str, ...] = ()
