"""Probes on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hostloom.model.attachment import Attachment
from hostloom.model.dhcp_exchange import DhcpOffer
from hostloom.model.ids import (
    MacAddress,
)
from hostloom.model.network import Address


@dataclass(frozen=True, slots=True)
class ProbePoint:
    """The place of a temporary probe: next to a machine's NIC, or on an interface."""

    #: URI of the host; `qemu:///system`: the machine that hostloom runs on.
    uri: str
    #: A bridge or parent interface.
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class NeighbourAnswer:
    """The result of a probe for one target."""

    target: Address
    #: The distinct MACs that answered ARP or neighbour discovery.
    macs: tuple[MacAddress, ...]
    #: The length in bytes of the longest IP packet that reaches the target; None: not measured.
    mtu: int | None = None


class WireProbe(Protocol):
    """A temporary NIC that probes the network; it is removed completely and uses no foreign address.

    Both methods raise HostUnreachable; HostNotScannable if the URI leads to no shell or the host lacks a
    required program; WireRefused if the interface cannot take a probe (a passthru machine owns it).
    """

    def dhcp_servers(
        self, point: ProbePoint, version: int = 4, timeout_s: float = 3.0
    ) -> Sequence[DhcpOffer]:
        """Request a lease as an unknown client, without taking one, and return all offers."""
        ...

    def reach(
        self, point: ProbePoint, targets: Sequence[Address], mtu: int | None = None, timeout_s: float = 1.0
    ) -> Sequence[NeighbourAnswer]:
        """Find the holders of all addresses in parallel (RFC 5227 probes, RFC 4861 solicitations).

        With `mtu`, also send frames of that length, and shorter ones if those are not answered.
        """
        ...
