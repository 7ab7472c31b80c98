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
        """Leases that are valid now."""
        ...

    def is_alive(self) -> bool:
        """Whether the server answers."""
        ...

    def pulse(self) -> DhcpPulse:
        """Whether leases or the server itself changed since; DhcpUnreachable."""
        ...

    def status(self) -> RackStatus:
        """What it says of itself; one that does not answer has `trouble`, and raises nothing."""
        ...

    def running(self) -> dict[str, Any]:
        """The configuration that runs, by family (`Dhcp4`, `Dhcp6`), without secrets; DhcpUnreachable."""
        ...


class DhcpServers(Protocol):
    """The DHCP servers of all racks; one that is dead never slows another."""

    def of(self, rack: Rack) -> DhcpServer:
        """The server behind a rack's control channel; connects on first use.

        InvalidValue for a control channel that cannot be: `local` where hostloom was configured with none.
        """
        ...

    def forget(self, rack: Rack) -> None:
        """Close what is open to a rack that is gone."""
        ...


class RouterAdvertiser(Protocol):
    """Tells IPv6 hosts what the rack's interfaces are for."""

    def advertise(self, adverts: Sequence[RouterAdvert]) -> None:
        """Advertise these from now on, and nothing else; an interface that comes later is taken up then."""
        ...


class DhcpSnooper(Protocol):
    """Sees DHCP messages pass on the interfaces of the machine that hostloom runs on."""

    def watch(self, interfaces: Sequence[str]) -> None:
        """Watch these from now on, and no others; one that is not there is watched once it is."""
        ...

    def drain(self) -> Sequence[DhcpMessage]:
        """What was seen since the last call, in order; without VLANs."""
        ...
