"""DHCP messages seen on the wire: the timeline of a NIC, and foreign servers."""

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
    #: Distinguishes the exchanges of one client.
    transaction: int
    #: The address that the message requests, offers or assigns.
    ip: Address | None = None
    #: The server's identifier, which answers and some requests contain.
    server: Address | None = None
    #: The link address of the frame's sender.
    sender: MacAddress | None = None
    #: The kind of client: `PXEClient…`, `iPXE`, `udhcp 1.35.0`, …
    vendor: str = ""
    #: The server's text about its refusal.
    message: str = ""
    vlan_id: VlanId | None = None


class ExchangeEnd(StrEnum):
    """The outcome of an exchange for the client."""

    #: It has its address.
    ACKNOWLEDGED = "acknowledged"
    #: A foreign server assigned its address.
    ACKNOWLEDGED_BY_OTHER = "acknowledged-by-other"
    #: It received an offer, and took the address of another server.
    CHOSE_OTHER = "chose-other"
    #: A server refused the address that it requested.
    REFUSED = "refused"
    #: It declined the assigned address, because another device has it.
    DECLINED = "declined"
    #: It released its address.
    RELEASED = "released"
    #: It asked for an address, and no server offered one.
    NO_OFFER = "no-offer"
    #: It received an offer, and did not continue.
    GAVE_UP = "gave-up"
    #: It requested the offered address, and no server answered.
    NO_ANSWER = "no-answer"
    #: No message of it was seen.
    NEVER_ASKED = "never-asked"


class Silence(StrEnum):
    """Why no server answered."""

    NOT_SERVED = "not-served"
    NO_ADDRESS = "no-address"
    RANGE_EXHAUSTED = "range-exhausted"
    SERVER_SILENT = "server-silent"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt of a client to get an address of one IP version; decide/explain/ renders it as text."""

    messages: tuple[DhcpMessage, ...]
    end: ExchangeEnd
    #: With NO_OFFER and NO_ANSWER.
    silence: Silence | None = None
    #: The address that it got, and the one that is reserved for it.
    ip: Address | None = None
    reserved: Address | None = None
    #: The server that answered last.
    server: Address | None = None
    #: The server's text.
    words: str = ""


@dataclass(frozen=True, slots=True)
class DhcpOffer:
    """The answer of one DHCP server to an unknown client."""

    server: Address
    #: Link address of the frame: the server's own, or its relay's.
    mac: MacAddress
    #: The address that it offered; None: it has none for an unknown client (DHCPv6 reports this).
    ip: Address | None
    gateway: Address | None = None
    lease_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class ForeignDhcp:
    """A DHCP server on a VLAN that hostloom does not manage."""

    vlan_id: VlanId
    server: Address
    mac: MacAddress
    #: The lowest and highest offered address; None: only its answers to other clients were seen.
    first_offered: Address | None
    last_offered: Address | None
    #: Where the probe ran: `INTERFACE of NODE`, or `libvirt network NAME of HOST`.
    seen_from: str
    first_seen_at: float
    last_seen_at: float


@dataclass(frozen=True, slots=True)
class VlanProbe:
    """The last probe for DHCP servers on a VLAN."""

    vlan_id: VlanId
    at: float
    #: `INTERFACE of NODE`.
    seen_from: str
    #: Whether our server answered; None: it does not answer unknown clients.
    ours_answered: bool | None
    #: Why the probe failed; empty: it did not.
    trouble: str = ""
