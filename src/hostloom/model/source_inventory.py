"""The inventory of another system, which is the input of an import; all ids are those of that system."""

from dataclasses import dataclass

from hostloom.model.attachment import MacvlanMode
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.ids import DomainId, HostId, ResourcePoolId, SystemId, ZoneId
from hostloom.model.machine import MachineState
from hostloom.model.network import Address, Fabric, HeldAddress, IPRange, Network, Space, Subnet, Vlan
from hostloom.model.node import LinkMode, Node


@dataclass(frozen=True, slots=True)
class SourceMachine:
    """The fields of a machine in addition to those of its node."""

    system_id: SystemId
    #: The SMBIOS UUID; empty: unknown.
    uuid: str = ""
    state: MachineState = MachineState.NEW
    architecture: str = "amd64"
    cores: int = 0
    memory_mib: int = 0
    owner: str = ""
    locked: bool = False
    #: The host of a virtual machine.
    host_id: HostId | None = None


@dataclass(frozen=True, slots=True)
class SourceHost:
    """A host of virtual machines."""

    id: HostId
    name: str
    #: `virsh`, `lxd`, …: only hosts with libvirt can be imported.
    kind: str
    uri: str
    zone_id: ZoneId = ZoneId(1)
    resource_pool_id: ResourcePoolId = ResourcePoolId(0)
    #: The node that runs the host.
    system_id: SystemId | None = None
    default_macvlan_mode: MacvlanMode | None = None
    cpu_over_commit_ratio: float = 1.0
    memory_over_commit_ratio: float = 1.0
    tags: tuple[str, ...] = ()
    #: Whether the other system used a password, which is not part of the inventory.
    has_password: bool = False


@dataclass(frozen=True, slots=True)
class SourceLink:
    """One link of an interface to a subnet."""

    system_id: SystemId
    interface_name: str
    mode: LinkMode
    ip: Address | None = None
    #: The CIDR of the subnet.
    subnet: Network | None = None


@dataclass(frozen=True, slots=True)
class SourceParameter:
    """One parameter of an interface, such as `bond_mode`, which hostloom only stores."""

    system_id: SystemId
    interface_name: str
    name: str
    value: bool | int | str


@dataclass(frozen=True, slots=True)
class SourceDevice:
    """The fields of a device in addition to those of its node."""

    system_id: SystemId
    owner: str = ""
    #: The machine that it is part of.
    parent: SystemId | None = None


@dataclass(frozen=True, slots=True)
class SourceTtl:
    """The time in seconds for which records of a domain may be cached."""

    domain_id: DomainId
    seconds: int


@dataclass(frozen=True, slots=True)
class SourceInventory:
    """The inventory of another system. Ids may be 0; a VLAN has `dhcp_on` if that system served it."""

    #: The origin, for messages: `MAAS 3.4.2 at http://maas:5240/MAAS`.
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
    #: Nodes, including machines; their interfaces have all assigned and observed addresses.
    nodes: tuple[Node, ...] = ()
    machines: tuple[SourceMachine, ...] = ()
    #: Addresses that were assigned to nodes or reserved, without those that were only observed.
    held: tuple[HeldAddress, ...] = ()
    hosts: tuple[SourceHost, ...] = ()
    devices: tuple[SourceDevice, ...] = ()
    links: tuple[SourceLink, ...] = ()
    parameters: tuple[SourceParameter, ...] = ()
    ttls: tuple[SourceTtl, ...] = ()
    #: The records that could not be read or are not imported.
    notes: tuple[str, ...] = ()
