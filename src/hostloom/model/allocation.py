"""Allocation: what a user needs of an existing machine, which one fits, and why the others do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hostloom.model.ids import HostId, ResourcePoolId, SystemId, ZoneId
from hostloom.model.reasons import Refusal


@dataclass(frozen=True, slots=True)
class AllocationRequest:
    """What a machine must have; blank and 0 ask for nothing."""

    hostname: str = ""
    system_id: str = ""
    #: amd64, arm64 …
    architecture: str = ""
    #: At least.
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
    #: Interface constraints, of the NICs that the machine has.
    interfaces: str = ""
    #: Disks: sizes are the least, words are the names or tags of the pools they are in.
    storage: str = ""
    #: `key=value` terms, of which each must (or, negated, may not) be met by some NIC.
    nics: tuple[str, ...] = ()


class Misfit(StrEnum):
    """Why a machine is not given; in the order in which they are looked at."""

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
    """A machine that fits, with the NICs and disks that each label is met by, as positions; or none."""

    system_id: SystemId | None
    interfaces: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    storage: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    #: How many machines do not fit, by the first reason.
    misfits: Mapping[Misfit, int] = field(default_factory=dict)
    #: Why no machine can fit.
    refusal: Refusal | None = None
