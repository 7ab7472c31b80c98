"""DHCP messages as they were seen on the wire: the timeline of a NIC, and who else answers."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import MacAddress, VlanId
from hostloom.model.network import Address


class MessageKind(StrEnum):
    """DHCPv4's messages (RFC 2131) and DHCPv6's (RFC 8415)."""

    DISCOVER = "discover"
    OFFER = "offer"
    REQUEST = "request"
    ACK = "ack"
    NAK = "nak"
    DECLINE = "decline"
    RELEASE = "release"
    INFORM = "inform"
    SOLICIT = "solicit"
    ADVERTISE = "advertise"
    REQUEST6 = "request6"
    CONFIRM = "confirm"
    RENEW = "renew"
    REBIND = "rebind"
    REPLY = "reply"
    RELEASE6 = "release6"
    DECLINE6 = "decline6"
    INFORMATION_REQUEST = "information-request"


@dataclass(frozen=True, slots=True)
class DhcpMessage:
    """One message of one client's exchange."""

    #: Seconds since the epoch.
    at: float
    kind: MessageKind
    #: The client's, also in a server's answer.
    mac: MacAddress
    #: The interface of the rack where it was seen.
    interface: str
    #: Tells one exchange of a client from its next.
    transaction: int
    #: The address that is asked for, offered or given.
    ip: Address | None = None
    #: The server's identifier: in its answers, and in requests that name one.
    server: Address | None = None
    #: The sender's link address: whose frame it was.
    sender: MacAddress | None = None
    #: Who asks: `PXEClient…`, `iPXE`, `udhcp 1.35.0`, …
    vendor: str = ""
    #: Why a server refuses, in its own words.
    message: str = ""
    vlan_id: VlanId | None = None


class ExchangeEnd(StrEnum):
    """How far a client came."""

    #: It has its address.
    ACKNOWLEDGED = "acknowledged"
    #: A server that is none of ours gave it one.
    ACKNOWLEDGED_BY_OTHER = "acknowledged-by-other"
    #: It was offered an address, and took another server's.
    CHOSE_OTHER = "chose-other"
    #: It asked for an address that was refused.
    REFUSED = "refused"
    #: Another device has the address that it was given.
    DECLINED = "declined"
    #: It gave its address back.
    RELEASED = "released"
    #: It asked, and no server offered an address.
    NO_OFFER = "no-offer"
    #: It was offered an address, and asked no more.
    GAVE_UP = "gave-up"
    #: It asked for the address that it was offered, and got no answer.
    NO_ANSWER = "no-answer"
    #: Nothing was seen of it.
    NEVER_ASKED = "never-asked"


class Silence(StrEnum):
    """Why no server answered."""

    NOT_SERVED = "not-served"
    NO_ADDRESS = "no-address"
    RANGE_EXHAUSTED = "range-exhausted"
    SERVER_SILENT = "server-silent"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt of a client, of one IP version; prose is rendered in decide/explain/ only."""

    messages: tuple[DhcpMessage, ...]
    end: ExchangeEnd
    #: With NO_OFFER and NO_ANSWER.
    silence: Silence | None = None
    #: The address that it came to, and the one that is reserved for it.
    ip: Address | None = None
    reserved: Address | None = None
    #: Who answered last.
    server: Address | None = None
    #: A server's own words.
    words: str = ""


@dataclass(frozen=True, slots=True)
class DhcpOffer:
    """What one DHCP server offers an unknown client."""

    server: Address
    #: Link address of the frame: the server's own, or its relay's.
    mac: MacAddress
    #: The address that it offered; None: it has none for an unknown client (DHCPv6 reports this).
    ip: Address | None
    gateway: Address | None = None
    lease_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class ForeignDhcp:
    """A DHCP server on a VLAN that is none of ours."""

    vlan_id: VlanId
    server: Address
    mac: MacAddress
    #: Lowest and highest address that it was seen to offer; None: it was seen to answer others only.
    first_offered: Address | None
    last_offered: Address | None
    #: Where it was seen from: `INTERFACE of NODE`, or `libvirt network NAME of HOST`.
    seen_from: str
    first_seen_at: float
    last_seen_at: float


@dataclass(frozen=True, slots=True)
class VlanProbe:
    """The last time that a VLAN was asked who serves DHCP there."""

    vlan_id: VlanId
    at: float
    #: `INTERFACE of NODE`.
    seen_from: str
    #: Whether our own server answered; None: it would not have answered an unknown client.
    ours_answered: bool | None
    #: Why it could not be asked; empty: it was.
    trouble: str = ""
