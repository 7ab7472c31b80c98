"""DHCP servers, router advertisements and DHCP snooping."""

from collections.abc import Sequence
from typing import Any, Protocol

from hostloom.model.dhcp import DhcpIntent, DhcpPulse, Lease
from hostloom.model.dhcp_exchange import DhcpMessage
from hostloom.model.rack import Rack, RackStatus
from hostloom.model.router_advert import RouterAdvert


class DhcpServer(Protocol):
    """A rack's DHCP server."""

    def apply(self, intent: DhcpIntent) -> None:
        """Test, then set the whole configuration; DhcpRejected leaves the running one as it was."""
        ...

    def leases(self) -> Sequence[Lease]:
        """The currently valid leases."""
        ...

    def is_alive(self) -> bool:
        """Whether the server answers."""
        ...

    def pulse(self) -> DhcpPulse:
        """Counters that show whether leases or the server have changed; DhcpUnreachable."""
        ...

    def status(self) -> RackStatus:
        """The status of the server; if it does not answer, `trouble` says so, and nothing is raised."""
        ...

    def running(self) -> dict[str, Any]:
        """The running configuration by family (`Dhcp4`, `Dhcp6`), without secrets; DhcpUnreachable."""
        ...


class DhcpServers(Protocol):
    """The DHCP servers of all racks; a dead one never delays another."""

    def of(self, rack: Rack) -> DhcpServer:
        """The server behind a rack's control channel; connects on first use.

        InvalidValue for an invalid control channel, or for `local` if hostloom has no own DHCP server.
        """
        ...

    def forget(self, rack: Rack) -> None:
        """Close the connections to a deleted rack."""
        ...


class RouterAdvertiser(Protocol):
    """Sends IPv6 router advertisements on the rack's interfaces."""

    def advertise(self, adverts: Sequence[RouterAdvert]) -> None:
        """Advertise exactly these from now on; a missing interface is used when it appears."""
        ...


class DhcpSnooper(Protocol):
    """Observes DHCP messages on the interfaces of the machine that hostloom runs on."""

    def watch(self, interfaces: Sequence[str]) -> None:
        """Watch exactly these interfaces from now on; a missing one is watched when it appears."""
        ...

    def drain(self) -> Sequence[DhcpMessage]:
        """The messages since the last call, in order; without VLANs."""
        ...
