"""Router advertisements, which a rack sends to the IPv6 hosts of a VLAN (RFC 4861)."""

from dataclasses import dataclass
from ipaddress import IPv6Network


@dataclass(frozen=True, slots=True)
class RouterAdvert:
    """The advertisement of one interface."""

    interface: str
    mtu: int
    #: Whether hosts get addresses only by DHCPv6 and do not generate their own.
    prefixes: tuple[IPv6Network, ...]
    #: Addresses come by DHCPv6 (the flags M and O).
    managed: bool
    #: 0: this rack is not a default router.
    router_lifetime_s: int = 0
