"""Allocation: a user's requirements, the machine that meets them, and why other machines do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hostloom.model.ids import HostId, ResourcePoolId, SystemId, ZoneId
from hostloom.model.reasons import Refusal


@dataclass(frozen=True, slots=True)
class AllocationRequest:
    """The requirements for a machine; blank and 0 require nothing."""

    hostname: str = ""
    system_id: str = ""
    #: amd64, arm64 …
    architecture: str = ""
    #: The minimum.
    cores: int = 0
    memory_mib: int = 0
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    zone: ZoneId | None = None
    not_zones: tuple[ZoneId, ...] = ()
    resource_pool: ResourcePoolId | None = None
    not_resource_pools: tuple[ResourcePoolId, ...] = ()
    host: HostId | None = None
    not_host: HostId | None = None
    #: True: on one of our hosts; False: on none; None: either.
    on_host: bool | None = None
    #: Interface constraints, which the NICs of the machine must meet.
    interfaces: str = ""
    #: Disks: sizes are minimums; words are names or tags of their storage pools.
    storage: str = ""
    #: `key=value` terms. A NIC must meet each term; no NIC may meet a negated one.
    nics: tuple[str, ...] = ()


class Misfit(StrEnum):
    """Why a machine does not fit, in the order of the checks."""

    NAME = "another name"
    LOCKED = "locked"
    NOT_READY = "not ready"
    ARCHITECTURE = "another architecture"
    CORES = "fewer cores"
    MEMORY = "less memory"
    TAGS = "other tags"
    ZONE = "another zone"
    RESOURCE_POOL = "another resource pool"
    HOST = "another host"
    NICS = "other networks"
    INTERFACES = "no NICs that meet the interface constraints"
    DISKS = "no disks that meet the storage constraints"


@dataclass(frozen=True, slots=True)
class Allocation:
    """The machine that fits, with the positions of the NICs and disks that meet each label; or none."""

    system_id: SystemId | None
    interfaces: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    storage: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    #: The number of machines that do not fit, by the first reason.
    misfits: Mapping[Misfit, int] = field(default_factory=dict)
    #: Why no machine can fit.
    refusal: Refusal | None = None
