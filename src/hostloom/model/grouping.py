"""Zones, resource pools, domains and tags, which group nodes, hosts and machines."""

from dataclasses import dataclass

from hostloom.model.ids import DomainId, ResourcePoolId, TagId, ZoneId

#: The names of the zone, resource pool and domain of a new server, and MAAS's name of the domain.
FIRST_NAME, MAAS_DOMAIN = "default", "maas"


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone."""

    id: ZoneId
    name: str
    description: str = ""
    generation: int = 1


@dataclass(frozen=True, slots=True)
class ResourcePool:
    """A group of machines and hosts, to which permissions apply."""

    id: ResourcePoolId
    name: str
    description: str = ""
    generation: int = 1


@dataclass(frozen=True, slots=True)
class Domain:
    """A DNS domain."""

    id: DomainId
    name: str
    authoritative: bool = True
    description: str = ""
    generation: int = 1


#: Tags of every composed machine, as in MAAS, with their kernel options, which log the console.
COMPOSED_TAGS = {"virtual": "", "pod-console-logging": "console=tty1 console=ttyS0"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A label of nodes, hosts and machines."""

    id: TagId
    name: str
    description: str = ""
    #: Kernel options of machines with the tag.
    kernel_options: str = ""
    generation: int = 1
