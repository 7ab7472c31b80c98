"""What another system managed, as it knew it: the input of an import; all ids are its own."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.attachment import MacvlanMode
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.ids import DomainId, HostId, ResourcePoolId, SystemId, ZoneId
from hostloom.model.machine import MachineState
from hostloom.model.network import Address, Fabric, HeldAddress, IPRange, Network, Space, Subnet, Vlan
from hostloom.model.node import Node


@dataclass(frozen=True, slots=True)
class EstateMachine:
    """What a node of kind `machine` is besides a node."""

    system_id: SystemId
    #: What it calls itself (SMBIOS); empty: it was never asked.
    uuid: str = ""
    state: MachineState = MachineState.NEW
    architecture: str = "amd64"
    cores: int = 0
    memory_mib: int = 0
    owner: str = ""
    locked: bool = False
    #: The host that it is a virtual machine of.
    host_id: HostId | None = None


@dataclass(frozen=True, slots=True)
class EstateHost:
    """A host of virtual machines."""

    id: HostId
    name: str
    #: `virsh`, `lxd`, …: only hosts that are reached through libvirt can be ours.
    kind: str
    uri: str
    zone_id: ZoneId = ZoneId(1)
    resource_pool_id: ResourcePoolId = ResourcePoolId(0)
    #: The node that it is.
    system_id: SystemId | None = None
    default_macvlan_mode: MacvlanMode | None = None
    cpu_over_commit_ratio: float = 1.0
    memory_over_commit_ratio: float = 1.0
    tags: tuple[str, ...] = ()
    #: It was reached with a password, which is not part of an estate.
    has_password: bool = False


class EstateLinkMode(StrEnum):
    """How an interface got its address there."""

    AUTO = "auto"
    STATIC = "static"
    DHCP = "dhcp"
    LINK_UP = "link_up"


@dataclass(frozen=True, slots=True)
class EstateLink:
    """One link of an interface to a subnet."""

    system_id: SystemId
    interface_name: str
    mode: EstateLinkMode
    ip: Address | None = None
    #: The CIDR of the subnet.
    subnet: Network | None = None


@dataclass(frozen=True, slots=True)
class EstateParameter:
    """One parameter of an interface, such as `bond_mode`; hostloom only keeps it."""

    system_id: SystemId
    interface_name: str
    name: str
    value: bool | int | str


@dataclass(frozen=True, slots=True)
class EstateDevice:
    """What a node of kind `device` is besides a node."""

    system_id: SystemId
    owner: str = ""
    #: The machine that it is part of.
    parent: SystemId | None = None


@dataclass(frozen=True, slots=True)
class EstateTtl:
    """How long the records of a domain may be cached, in seconds."""

    domain_id: DomainId
    seconds: int


@dataclass(frozen=True, slots=True)
class SourceInventory:
    """Everything that another system managed. Ids may be 0; a VLAN has `dhcp_on` if that system served it."""

    #: Where it was read from, for messages: `MAAS 3.4.2 at http://maas:5240/MAAS`.
    source: str
    zones: tuple[Zone, ...] = ()
    resource_pools: tuple[ResourcePool, ...] = ()
    domains: tuple[Domain, ...] = ()
    tags: tuple[Tag, ...] = ()
    spaces: tuple[Space, ...] = ()
    fabrics: tuple[Fabric, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    ranges: tuple[IPRange, ...] = ()
    #: Machines too; the addresses on their interfaces are all that the other system saw or gave there.
    nodes: tuple[Node, ...] = ()
    machines: tuple[EstateMachine, ...] = ()
    #: Addresses that were given to nodes or set aside; none that were only seen.
    held: tuple[HeldAddress, ...] = ()
    hosts: tuple[EstateHost, ...] = ()
    devices: tuple[EstateDevice, ...] = ()
    links: tuple[EstateLink, ...] = ()
    parameters: tuple[EstateParameter, ...] = ()
    ttls: tuple[EstateTtl, ...] = ()
    #: What could not be read, and what is not carried over.
    notes: tuple[str, ...] = ()
