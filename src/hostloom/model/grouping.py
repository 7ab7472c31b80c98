"""Zones, resource pools, domains and tags, which group nodes, hosts and machines."""

from dataclasses import dataclass

from hostloom.model.ids import DomainId, ResourcePoolId, TagId, ZoneId

#: What a new server calls its zone, resource pool and domain, and what MAAS calls its domain.
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
    """A group of machines and hosts that rights attach to."""

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


#: Tags that every composed machine carries, as with MAAS, and their kernel options: the console is logged.
COMPOSED_TAGS = {"virtual": "", "pod-console-logging": "console=tty1 console=ttyS0"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A word that nodes, hosts and machines carry."""

    id: TagId
    name: str
    description: str = ""
    #: Kernel options of machines that carry it.
    kernel_options: str = ""
    generation: int = 1
