"""The physical network: fabrics, VLANs, spaces, subnets, ranges and held addresses."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hostloom.model.ids import FabricId, RackId, RangeId, SpaceId, SubnetId, VlanId

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: The VID of a fabric's untagged VLAN.
UNTAGGED = 0
#: 4095 is reserved by IEEE 802.1Q.
MAX_VID = 4094
MIN_MTU, MAX_MTU, DEFAULT_MTU = 552, 65535, 1500

#: First and last address as numbers, both included.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fabric:
    """VLANs that are joined at layer 2."""

    id: FabricId
    name: str
    class_type: str | None = None
    description: str = ""
    generation: int = 1
    #: hostloom made it by itself, for what a host or rack showed: its id gives way to an imported one.
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Space:
    """A label for VLANs that may route to each other."""

    id: SpaceId
    name: str
    description: str = ""
    generation: int = 1


@dataclass(frozen=True, slots=True)
class Vlan:
    """One broadcast domain of a fabric; (fabric, vid) is unique."""

    id: VlanId
    fabric_id: FabricId
    vid: int
    name: str
    mtu: int = DEFAULT_MTU
    #: Our DHCP serves it directly.
    dhcp_on: bool = False
    #: The VLAN with the rack that serves this one through a DHCP relay; one hop only.
    relay_vlan_id: VlanId | None = None
    space_id: SpaceId | None = None
    #: The rack that serves it; None: the first one, by id, that has an interface on it.
    primary_rack_id: RackId | None = None
    #: The rack that stands by (Kea's hot standby).
    secondary_rack_id: RackId | None = None
    description: str = ""
    generation: int = 1
    #: hostloom made it by itself, for what a host or rack showed: its id gives way to an imported one.
    automatic: bool = False


def vlan_name(fabric: str, vid: int) -> str:
    """How messages, answers and files name a VLAN: `FABRIC/VID`, with the fabric's name."""
    return f"{fabric}/{vid}"


@dataclass(frozen=True, slots=True)
class Subnet:
    """An IP prefix on a VLAN."""

    id: SubnetId
    cidr: Network
    vlan_id: VlanId
    name: str
    #: Inside the cidr, or IPv6 link-local.
    gateway: Address | None = None
    dns_servers: tuple[Address, ...] = ()
    ntp_servers: tuple[Address, ...] = ()
    #: None: the DHCP server's own default.
    lease_time_s: int | None = None
    #: In an unmanaged subnet hostloom assigns addresses of reserved ranges only.
    managed: bool = True
    description: str = ""
    generation: int = 1
    #: hostloom made it by itself, for what a host or rack showed: its id gives way to an imported one.
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class StaticRoute:
    """A route that machines on one subnet get to another network."""

    #: The subnet that the gateway is in, and the machines that get the route.
    subnet_id: SubnetId
    destination: Network
    gateway: Address
    #: The route with the lowest metric is preferred.
    metric: int = 0


class SpecialAddress(StrEnum):
    """Why no machine can have an address of a subnet; the values are words for messages."""

    NETWORK = "network address"
    BROADCAST = "broadcast address"
    #: Every router on the link answers to it (RFC 4291, section 2.6.1).
    ANYCAST = "subnet-router anycast address"


def special_address(cidr: Network, ip: Address) -> SpecialAddress | None:
    """What makes the address of a subnet special; /31, /32, /127 and /128 have no special address.

    See RFC 3021 for /31 and RFC 6164 for /127. IPv6 has no broadcast address.
    """
    if cidr.prefixlen >= cidr.max_prefixlen - 1:
        return None
    if ip == cidr.network_address:
        return SpecialAddress.NETWORK if cidr.version == 4 else SpecialAddress.ANYCAST
    is_broadcast = cidr.version == 4 and ip == cidr.broadcast_address
    return SpecialAddress.BROADCAST if is_broadcast else None


def usable_span(cidr: Network) -> tuple[int, int]:
    """The first and the last address of a subnet that a machine can have, as numbers."""
    first, last = cidr.network_address, cidr.broadcast_address
    is_first_special = special_address(cidr, first) is not None
    is_last_special = special_address(cidr, last) is not None
    return int(first) + is_first_special, int(last) - is_last_special


def can_be_gateway(cidr: Network, ip: Address) -> bool:
    """Whether a router can have the address: one of the subnet, or IPv6 link-local.

    The subnet-router anycast address is a router's by definition, so it can be the gateway.
    """
    if ip.version == 6 and cidr.version == 6 and ip.is_link_local:
        return True
    return ip in cidr and special_address(cidr, ip) in (None, SpecialAddress.ANYCAST)


class RangeKind(StrEnum):
    """What a range of addresses is for."""

    #: For DHCP leases.
    DYNAMIC = "dynamic"
    #: Managed subnet: never assigned. Unmanaged subnet: the only addresses that are assigned.
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class IPRange:
    """Addresses of one subnet from `start` to `end`, both included."""

    id: RangeId
    subnet_id: SubnetId
    kind: RangeKind
    start: Address
    end: Address
    comment: str = ""
    generation: int = 1

    def __contains__(self, address: object) -> bool:
        """Whether the address, of the same family, lies inside."""
        if not isinstance(address, IPv4Address | IPv6Address) or address.version != self.start.version:
            return False
        return int(self.start) <= int(address) <= int(self.end)


def spans_of(subnet: Subnet, ranges: tuple[IPRange, ...]) -> tuple[Span, ...]:
    """The spans from which addresses are assigned, ascending. They include used addresses and the gateway."""
    low, high = usable_span(subnet.cidr)
    reserved = _merged_spans(ranges, RangeKind.RESERVED)
    dynamic = _merged_spans(ranges, RangeKind.DYNAMIC)
    spans = [(low, high)]
    if not subnet.managed:
        spans = [(max(a, low), min(b, high)) for a, b in reserved if max(a, low) <= min(b, high)]
        return tuple(_without(spans, dynamic))
    return tuple(_without(_without(spans, reserved), dynamic))


def _merged_spans(ranges: tuple[IPRange, ...], kind: RangeKind) -> list[Span]:
    spans: list[Span] = []
    for ip_range in sorted((r for r in ranges if r.kind is kind), key=lambda r: int(r.start)):
        start, end = int(ip_range.start), int(ip_range.end)
        if spans and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _without(spans: list[Span], holes: list[Span]) -> list[Span]:
    for low, high in holes:
        cut: list[Span] = []
        for a, b in spans:
            if high < a or b < low:
                cut.append((a, b))
                continue
            if a < low:
                cut.append((a, low - 1))
            if high < b:
                cut.append((high + 1, b))
        spans = cut
    return spans


class AddressKind(StrEnum):
    """Why an address is held."""

    #: Reserved for a composed machine's NIC, automatically or on request; published to DHCP.
    AUTO = "auto"
    STATIC = "static"
    #: Found on an interface of a node (host scan, commissioning).
    OBSERVED = "observed"
    #: A user reserved it.
    RESERVED = "reserved"
    #: Leased by our DHCP.
    LEASE = "lease"
    #: A device without a reservation answers for it, or may still use it. Expires.
    ON_WIRE = "on-wire"


#: Observed kinds. An address has at most one holder of the other kinds.
SEEN_KINDS = frozenset({AddressKind.OBSERVED, AddressKind.LEASE, AddressKind.ON_WIRE})
#: How long an address that was in use on the wire counts as taken; seconds.
ON_WIRE_LASTS_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class HeldAddress:
    """An address with its holder; (subnet, ip) is unique among the kinds that are not observed."""

    ip: Address
    kind: AddressKind
    subnet_id: SubnetId | None = None
    #: The system id of the holding node; None for an address that a user reserved.
    system_id: str | None = None
    interface_name: str | None = None
    comment: str = ""
    #: When an address of kind ON_WIRE becomes free; seconds since the epoch.
    until: float | None = None

    def held_by(self, hostname: str | None) -> str:
        """The holder as text; `hostname` is that of the node, None for an address without a node."""
        if hostname is not None:
            return f"held by {hostname}"
        reason = _HOLDER_REASONS.get(self.kind, "set aside")
        return f"{reason}: {self.comment}" if self.comment else reason


_HOLDER_REASONS = {AddressKind.ON_WIRE: "in use on the wire", AddressKind.OBSERVED: "seen"}
