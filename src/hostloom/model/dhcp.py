"""The intended DHCP service: subnets, reservations and the locations of boot files."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import MacAddress, SubnetId, SystemId, VlanId
from hostloom.model.network import Address, IPRange, Network

#: Lease time of subnets without a setting, in seconds.
LEASE_TIME_S = 600


@dataclass(frozen=True, slots=True)
class PublishedNic:
    """A NIC of a machine with published addresses, and the identifiers of its machine."""

    system_id: SystemId
    hostname: str
    uuid: str
    name: str
    mac: MacAddress
    #: In the order in which the NIC has them.
    ips: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class DhcpReservation:
    """A MAC's fixed address."""

    mac: MacAddress
    ip: Address
    hostname: str
    #: The machine's UUID, by which its firmware asks over DHCPv6 (RFC 6355); empty: only the MAC counts.
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class DhcpSubnet:
    """A subnet that we serve."""

    id: SubnetId
    cidr: Network
    #: Interface of the rack on the subnet's VLAN; None when it is served through relays only.
    interface: str | None
    #: Dynamic ranges.
    pools: tuple[IPRange, ...]
    gateway: Address | None
    dns_servers: tuple[Address, ...]
    mtu: int
    reservations: tuple[DhcpReservation, ...]
    #: Addresses of relays that forward this subnet's requests.
    relays: tuple[Address, ...] = ()
    #: URL of the boot script that machines of this subnet load.
    boot_url: str = ""
    #: Subnets with the same VLAN share a wire; None: the subnet is alone on its wire.
    vlan_id: VlanId | None = None
    ntp_servers: tuple[Address, ...] = ()
    #: None: the intent's.
    lease_time_s: int | None = None


class HaRole(StrEnum):
    """What a rack does in a hot-standby pair."""

    PRIMARY = "primary"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class HaPeer:
    """One rack of a hot-standby pair."""

    name: str
    role: HaRole
    #: The URL that the other rack uses: the address of its node, and the port of Kea's own listener.
    address: Address
    port: int


@dataclass(frozen=True, slots=True)
class HaIntent:
    """A pair of racks that serve the same subnets, as one of them sees it."""

    this_name: str
    peers: tuple[HaPeer, HaPeer]


@dataclass(frozen=True, slots=True)
class DhcpIntent:
    """Everything that a rack's DHCP server should serve. It is rebuilt from the store and never patched."""

    subnets: tuple[DhcpSubnet, ...]
    lease_time_s: int = LEASE_TIME_S
    #: None: the rack serves alone.
    ha: HaIntent | None = None


@dataclass(frozen=True, slots=True)
class DhcpPulse:
    """Cheap indicators of a change at a DHCP server."""

    #: Process ids of its parts. A new id means a restart, possibly with another configuration.
    processes: tuple[int, ...]
    #: Counters that change whenever a lease is assigned, released, declined or reclaimed.
    counts: tuple[int, ...]
    #: The trouble of one part while the other parts answer.
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that the DHCP server handed out."""

    ip: Address
    mac: MacAddress
    hostname: str
    subnet_id: SubnetId
    #: Seconds since the epoch.
    expires_at: float
