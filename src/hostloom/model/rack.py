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
    #: The node that it runs on: its interfaces tell which VLANs it can serve.
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
    """What a rack's DHCP server says of itself now."""

    #: Why it does not answer, or what is wrong with a part of it; empty: all is well.
    trouble: str = ""
    #: Of the server's software, by IP version.
    versions: tuple[tuple[int, str], ...] = ()
    #: Seconds since it was started, by IP version.
    uptimes_s: tuple[tuple[int, float], ...] = ()
    #: Kea's word for its state in a pair (`hot-standby`, `partner-down`, …); empty: it serves alone.
    ha_state: str = ""
    ha_partner_state: str = ""
