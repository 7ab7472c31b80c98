"""Racks: controllers with a DHCP server that hostloom configures."""

from dataclasses import dataclass

from hostloom.model.ids import RackId, SystemId

#: The control channel that this hostloom was configured with.
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Rack:
    """A DHCP server, and the node that it runs on."""

    id: RackId
    name: str
    #: The node that it runs on. It can serve the VLANs of the node's interfaces.
    system_id: SystemId
    #: How the control channel of its DHCPv4 server is reached: `local` (the one that this hostloom was
    #: configured with), `unix:/PATH`, `ssh://USER@HOST/PATH` or `http(s)://HOST:PORT/`.
    control: str = LOCAL
    #: The same of its DHCPv6 server; empty: it serves DHCPv4 only. Of `local` it is what is configured.
    control6: str = ""
    description: str = ""
    generation: int = 1


@dataclass(frozen=True, slots=True)
class RackStatus:
    """The present state of a rack's DHCP server."""

    #: Why it does not answer, or the trouble of one part; empty: none.
    trouble: str = ""
    #: Versions of the server's software, by IP version.
    versions: tuple[tuple[int, str], ...] = ()
    #: Seconds since it was started, by IP version.
    uptimes_s: tuple[tuple[int, float], ...] = ()
    #: Kea's state of the pair (`hot-standby`, `partner-down`, …); empty: the rack serves alone.
    ha_state: str = ""
    ha_partner_state: str = ""
