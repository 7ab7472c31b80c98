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
    """Where a throw-away probe is put: beside a machine's NIC, or on an interface itself."""

    #: URI of the host; `qemu:///system`: the machine that hostloom runs on.
    uri: str
    #: A bridge or parent interface.
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class NeighbourAnswer:
    """What a probe found of one target."""

    target: Address
    #: The MACs that answered ARP or neighbour discovery, without repetition; empty: none.
    macs: tuple[MacAddress, ...]
    #: The longest IP packet, in bytes, that a frame to the target may carry; None: it was not measured.
    mtu: int | None = None


class WireProbe(Protocol):
    """A temporary NIC that probes the network; it leaves nothing behind and uses no address of others.

    Both raise HostUnreachable, or HostNotScannable where the URI gives no way to or the host lacks what the
    probe needs; WireRefused where the interface cannot take a probe (it is held by a passthru machine).
    """

    def dhcp_servers(
        self, point: ProbePoint, version: int = 4, timeout_s: float = 3.0
    ) -> Sequence[DhcpOffer]:
        """Ask for a lease as an unknown client, take none, and return every offer."""
        ...

    def reach(
        self, point: ProbePoint, targets: Sequence[Address], mtu: int | None = None, timeout_s: float = 1.0
    ) -> Sequence[NeighbourAnswer]:
        """Ask who has each address (RFC 5227 probes, RFC 4861 solicitations), all at once.

        With `mtu` also with frames that long, and shorter ones if those are not answered.
        """
        ...
