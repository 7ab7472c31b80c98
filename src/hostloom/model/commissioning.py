"""The commissioning report of a machine, and what the machine boots next."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.network import Address


class BootAction(StrEnum):
    """The answer to a machine that boots from the network."""

    #: The commissioning environment, with a token for its one report.
    COMMISSION = "commission"
    #: The commissioning environment for an unknown machine, which its report enlists.
    ENLIST = "enlist"
    #: The machine continues with its own disk.
    LOCAL = "local"
    #: The commissioning environment with a shell on the console; it reports and changes nothing.
    RESCUE = "rescue"
    #: The environment that writes a system to its disk.
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
    """The switch port that a NIC is plugged into, as the switch announces it by LLDP (IEEE 802.1AB)."""

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
    """The hardware of a machine, as the machine itself reads it."""

    cores: int
    memory_mib: int
    architecture: str
    #: `bios` or `uefi`.
    firmware: str
    cpu_model: str = ""
    vendor: str = ""
    product: str = ""
    #: From SMBIOS; empty for a machine without it.
    uuid: str = ""
    serial: str = ""
    disks: tuple[FoundDisk, ...] = ()
    nics: tuple[FoundNic, ...] = ()
    #: Seconds since its kernel started.
    uptime_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Commissioning:
    """A commissioning report with its time."""

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
    #: None: the machine is unknown, and its report enlists it.
    system_id: SystemId | None
    expires_at: float


def hash_secret(secret: str) -> str:
    """The hash of a token, which is stored instead of the token."""
    return hashlib.sha256(secret.encode()).hexdigest()
