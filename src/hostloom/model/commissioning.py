"""What the commissioning environment found in a machine, and what a machine boots next."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.network import Address


class BootAction(StrEnum):
    """What a machine that boots from the network is given."""

    #: The commissioning environment, with a token for its one report.
    COMMISSION = "commission"
    #: The same for an unknown machine: its report enlists it.
    ENLIST = "enlist"
    #: On to its own disk.
    LOCAL = "local"
    #: The environment with a shell on the console, no report and no change.
    RESCUE = "rescue"
    #: A system onto its disk.
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True)
class FoundDisk:
    """A disk."""

    name: str
    size_bytes: int
    model: str = ""
    serial: str = ""
    rotational: bool = False


@dataclass(frozen=True, slots=True)
class LldpNeighbour:
    """The switch port that a NIC is plugged into, as the switch says it (IEEE 802.1AB)."""

    chassis: str
    port: str
    system_name: str = ""
    vid: int | None = None


@dataclass(frozen=True, slots=True)
class DhcpFacts:
    """The DHCP configuration of a NIC."""

    ip: Address
    server: Address | None = None
    gateway: Address | None = None
    lease_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class FoundNic:
    """A NIC."""

    name: str
    mac: MacAddress
    carrier: bool
    #: Mbit/s; 0: unknown.
    link_speed: int = 0
    driver: str = ""
    dhcp: DhcpFacts | None = None
    neighbour: LldpNeighbour | None = None


@dataclass(frozen=True, slots=True)
class FoundHardware:
    """A machine as it sees itself."""

    cores: int
    memory_mib: int
    architecture: str
    #: `bios` or `uefi`.
    firmware: str
    cpu_model: str = ""
    vendor: str = ""
    product: str = ""
    #: SMBIOS; empty where it has none.
    uuid: str = ""
    serial: str = ""
    disks: tuple[FoundDisk, ...] = ()
    nics: tuple[FoundNic, ...] = ()
    #: Seconds since its kernel started.
    uptime_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Commissioning:
    """What was found, and when."""

    system_id: SystemId
    #: Seconds since the epoch.
    at: float
    hardware: FoundHardware


@dataclass(frozen=True, slots=True)
class BootToken:
    """Leave to report once; the secret itself is kept nowhere."""

    secret_sha256: str
    #: The NIC that booted: a report must have it.
    mac: MacAddress
    #: None: whoever it is will be enlisted.
    system_id: SystemId | None
    expires_at: float


def hash_secret(secret: str) -> str:
    """The hash of a token, which is stored instead of the token."""
    return hashlib.sha256(secret.encode()).hexdigest()
