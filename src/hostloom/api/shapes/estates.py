"""Shapes of estates: what another system managed, under its own ids."""

from collections.abc import Callable
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_interface, ip_network
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from hostloom.api.forms import Count, Flag, In, Int, Ip, Mac, Ratio, Text
from hostloom.model.attachment import MacvlanMode
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.machine import MachineState
from hostloom.model.network import (
    MAX_VID,
    AddressKind,
    Fabric,
    HeldAddress,
    IPRange,
    RangeKind,
    Space,
    Subnet,
    Vlan,
)
from hostloom.model.node import BridgeKind, InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.source_inventory import (
    EstateDevice,
    EstateHost,
    EstateLink,
    EstateLinkMode,
    EstateMachine,
    EstateParameter,
    EstateTtl,
    SourceInventory,
)


def _parser(parse: Callable[[Any], object], example: str) -> BeforeValidator:
    def read(value: object) -> object:
        try:
            if isinstance(value, str) and "%" not in value:
                return parse(value)
        except ValueError:
            pass
        raise ValueError(f"has the wrong form; write it like {example}")

    return BeforeValidator(read)


#: The other system's ids begin with 0.
Key = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Amount = Key
Name = Annotated[Text, Field(max_length=255)]
Word = Annotated[Text, Field(max_length=40)]
SystemIdText = Annotated[Text, Field(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
Cidr = Annotated[
    IPv4Network | IPv6Network,
    _parser(ip_network, "10.0.0.0/24"),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.0/24", "fd00::/64"]}),
]
Address = Annotated[
    IPv4Interface | IPv6Interface,
    _parser(ip_interface, "10.0.0.5/24"),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.5/24"]}),
]


class _Part(In):
    """A part of an estate, whose fields are those of a model class."""

    made: ClassVar[type]

    def to_model(self) -> Any:
        """The model's."""
        return self.made(**{name: _to_model(getattr(self, name)) for name in type(self).model_fields})


def _to_model(value: Any) -> Any:
    if isinstance(value, _Part):
        return value.to_model()
    return tuple(_to_model(each) for each in value) if isinstance(value, list) else value


class _GroupIn(_Part):
    id: Key
    name: Name
    description: Text = ""


class ZoneIn(_GroupIn):
    """An availability zone."""

    made = Zone


class ResourcePoolIn(_GroupIn):
    """A resource pool."""

    made = ResourcePool


class SpaceIn(_GroupIn):
    """A space."""

    made = Space


class DomainIn(_Part):
    """A DNS domain."""

    made = Domain
    id: Key
    name: Name
    authoritative: Flag = True


class TagIn(_GroupIn):
    """A tag."""

    made = Tag
    kernel_options: Text = ""


class FabricIn(_GroupIn):
    """A fabric."""

    made = Fabric
    class_type: Name | None = None


class VlanIn(_Part):
    """A VLAN; `dhcp_on`: the other system served it."""

    made = Vlan
    id: Key
    fabric_id: Key
    vid: Annotated[int, Field(strict=True, ge=0, le=MAX_VID)]
    name: Name
    mtu: Amount = 1500
    dhcp_on: Flag = False
    relay_vlan_id: Key | None = None
    space_id: Key | None = None
    description: Text = ""


class SubnetIn(_Part):
    """A subnet."""

    made = Subnet
    id: Key
    cidr: Cidr
    vlan_id: Key
    name: Name
    gateway: Ip | None = None
    dns_servers: list[Ip] = Field(default_factory=list)
    managed: Flag = True
    description: Text = ""


class RangeIn(_Part):
    """A range of addresses, both ends included."""

    made = IPRange
    id: Key
    subnet_id: Key
    kind: RangeKind
    start: Ip
    end: Ip
    comment: Text = ""


class HeldAddressIn(_Part):
    """An address that a node was given, or that was set aside."""

    made = HeldAddress
    ip: Ip
    kind: AddressKind
    subnet_id: Key | None = None
    system_id: SystemIdText | None = None
    interface_name: Name | None = None
    comment: Text = ""


class NodeInterfaceIn(_Part):
    """An interface of a node, with all addresses that the other system saw or gave there."""

    made = NodeInterface
    id: Key
    name: Name
    kind: InterfaceKind
    mac: Mac | None = None
    vlan_id: Key | None = None
    addresses: list[Address] = Field(default_factory=list)
    parents: list[Name] = Field(default_factory=list)
    bridge_kind: BridgeKind | None = None
    tag_vid: Key | None = None
    enabled: Flag = True
    link: Flag = True
    mtu: Amount = 1500
    link_speed: Amount = 0
    tags: list[Name] = Field(default_factory=list)


class NodeIn(_Part):
    """A node: a machine, a device or a controller."""

    made = Node
    system_id: SystemIdText
    hostname: Name
    kind: NodeKind
    interfaces: list[NodeInterfaceIn] = Field(default_factory=list)
    zone_id: Key = 1
    resource_pool_id: Key = 1
    domain_id: Key = 1
    tags: list[Name] = Field(default_factory=list)
    description: Text = ""


class EstateMachineIn(_Part):
    """What a node of kind `machine` is besides a node; `host_id`: the host whose virtual machine it is."""

    made = EstateMachine
    system_id: SystemIdText
    uuid: Word = ""
    state: MachineState = MachineState.NEW
    architecture: Word = "amd64"
    cores: Amount = 0
    memory_mib: Amount = 0
    owner: Name = ""
    locked: Flag = False
    host_id: Key | None = None


class EstateHostIn(_Part):
    """A host of virtual machines; without its password, if it has one."""

    made = EstateHost
    id: Key
    name: Name
    kind: Word
    uri: Annotated[Text, Field(max_length=1024)]
    zone_id: Key = 1
    resource_pool_id: Key = 0
    system_id: SystemIdText | None = None
    default_macvlan_mode: MacvlanMode | None = None
    cpu_over_commit_ratio: Ratio = 1.0
    memory_over_commit_ratio: Ratio = 1.0
    tags: list[Name] = Field(default_factory=list)
    has_password: Flag = False


class EstateDeviceIn(_Part):
    """What a node of kind `device` is besides a node; `parent`: the machine that it is part of."""

    made = EstateDevice
    system_id: SystemIdText
    owner: Name = ""
    parent: SystemIdText | None = None


class EstateLinkIn(_Part):
    """One link of an interface; `subnet` is a CIDR."""

    made = EstateLink
    system_id: SystemIdText
    interface_name: Name
    mode: EstateLinkMode
    ip: Ip | None = None
    subnet: Cidr | None = None


class EstateParameterIn(_Part):
    """One parameter of an interface, such as `bond_mode`."""

    made = EstateParameter
    system_id: SystemIdText
    interface_name: Name
    name: Annotated[Text, Field(min_length=1, max_length=64)]
    value: Flag | Int | Name


class EstateTtlIn(_Part):
    """How long the records of a domain may be remembered, in seconds."""

    made = EstateTtl
    domain_id: Key
    seconds: Count


class EstateIn(_Part):
    """All that another system managed, under its own ids."""

    made = SourceInventory
    source: Name
    zones: list[ZoneIn] = Field(default_factory=list)
    resource_pools: list[ResourcePoolIn] = Field(default_factory=list)
    domains: list[DomainIn] = Field(default_factory=list)
    tags: list[TagIn] = Field(default_factory=list)
    spaces: list[SpaceIn] = Field(default_factory=list)
    fabrics: list[FabricIn] = Field(default_factory=list)
    vlans: list[VlanIn] = Field(default_factory=list)
    subnets: list[SubnetIn] = Field(default_factory=list)
    ranges: list[RangeIn] = Field(default_factory=list)
    nodes: list[NodeIn] = Field(default_factory=list)
    machines: list[EstateMachineIn] = Field(default_factory=list)
    held: list[HeldAddressIn] = Field(default_factory=list)
    hosts: list[EstateHostIn] = Field(default_factory=list)
    devices: list[EstateDeviceIn] = Field(default_factory=list)
    links: list[EstateLinkIn] = Field(default_factory=list)
    parameters: list[EstateParameterIn] = Field(default_factory=list)
    ttls: list[EstateTtlIn] = Field(default_factory=list)
    notes: list[Text] = Field(default_factory=list)
