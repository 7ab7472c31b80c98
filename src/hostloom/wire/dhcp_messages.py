"""Parses DHCP messages from frames: DHCPv4 (RFC 2131, 2132) and DHCPv6 (RFC 8415), also relayed; pure."""

import struct
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from hostloom.model.dhcp_exchange import DhcpMessage, MessageKind
from hostloom.model.ids import MacAddress
from hostloom.model.network import Address
from hostloom.wire.dhcp_options import options4, options6

_K = MessageKind
KINDS_4 = dict(
    enumerate((_K.DISCOVER, _K.OFFER, _K.REQUEST, _K.DECLINE, _K.ACK, _K.NAK, _K.RELEASE, _K.INFORM), start=1)
)
KINDS_6 = {
    1: _K.SOLICIT,
    2: _K.ADVERTISE,
    3: _K.REQUEST6,
    4: _K.CONFIRM,
    5: _K.RENEW,
    6: _K.REBIND,
    7: _K.REPLY,
    8: _K.RELEASE6,
    9: _K.DECLINE6,
    11: _K.INFORMATION_REQUEST,
}
#: Messages of servers.
ANSWERS = frozenset({_K.OFFER, _K.ACK, _K.NAK, _K.ADVERTISE, _K.REPLY})
RELAYED = (12, 13)
MAX_RELAYS = 8
MAX_TEXT = 255
_COOKIE = b"\x63\x82\x53\x63"


def parse(frame: bytes, received_at: float, interface: str) -> DhcpMessage | None:
    """The message in an Ethernet frame; None for any other bytes."""
    try:
        kind, payload = struct.unpack_from("!H", frame, 12)[0], frame[14:]
        if kind == 0x8100:
            kind, payload = struct.unpack_from("!H", payload, 2)[0], payload[4:]
        sender = _mac(frame[6:12])
        if kind == 0x0800:
            dhcp_message = _parse4(payload)
        elif kind == 0x86DD:
            dhcp_message = _parse6(payload, _mac(frame[:6]), sender)
        else:
            return None
    except (struct.error, LookupError, ValueError):
        return None
    return (
        None
        if dhcp_message is None
        else replace(dhcp_message, at=received_at, interface=interface, sender=sender)
    )


def _parse4(packet: bytes) -> DhcpMessage | None:
    header = (packet[0] & 0xF) * 4
    if packet[9] != 17 or struct.unpack_from("!H", packet, 6)[0] & 0x1FFF:
        return None
    body = packet[header + 8 :]
    if body[2] != 6 or body[236:240] != _COOKIE:
        return None
    options = options4(body[240:])
    kind = KINDS_4[options[53][0]] if options.get(53, b"\0")[0] in KINDS_4 else None
    if kind is None:
        return None
    address = _ip4(options.get(50, b"")) or _ip4(body[12:16])
    vendor = options.get(77, b"") if b"iPXE" in options.get(77, b"") else options.get(60, b"")
    return DhcpMessage(
        0.0,
        kind,
        _mac(body[28:34]),
        "",
        int(struct.unpack_from("!I", body, 4)[0]),
        _ip4(body[16:20]) if kind in ANSWERS else address,
        _ip4(options.get(54, b"")),
        vendor=_text(vendor),
        message=_text(options.get(56, b"")),
    )


def _parse6(packet: bytes, receiver: MacAddress, sender: MacAddress) -> DhcpMessage | None:
    if packet[6] != 17:
        return None
    source, body, peer = IPv6Address(packet[8:24]), packet[48:], None
    for _ in range(MAX_RELAYS):
        if body[0] not in RELAYED:
            break
        peer = IPv6Address(body[18:34])
        body = dict(options6(body[34:]))[9]
    kind = KINDS_6.get(body[0])
    if kind is None:
        return None
    options = dict(options6(body[4:]))
    is_answer = kind in ANSWERS
    address, status = _association(options.get(3, b""))
    client = _mac_of_duid(options.get(1, b"")) or _mac_of_link_local(peer)
    if client is None and peer is None:
        client = receiver if is_answer else sender
    if client is None:
        return None
    message = options.get(13, b"")[2:] or status
    transaction = int.from_bytes(body[1:4], "big")
    server = source if is_answer else None
    return DhcpMessage(0.0, kind, client, "", transaction, address, server, message=_text(message))


def _association(body: bytes) -> tuple[Address | None, bytes]:
    """The first address of an IA_NA, and its status message."""
    options = dict(options6(body[12:]))
    address = options.get(5, b"")[:16]
    return (IPv6Address(address) if len(address) == 16 else None), options.get(13, b"")[2:]


def _mac_of_duid(duid: bytes) -> MacAddress | None:
    """The MAC in a DUID-LLT or DUID-LL of Ethernet."""
    if duid[:4] == b"\0\1\0\1" and len(duid) >= 14:
        return _mac(duid[8:14])
    return _mac(duid[4:10]) if duid[:4] == b"\0\3\0\1" and len(duid) >= 10 else None


def _mac_of_link_local(address: IPv6Address | None) -> MacAddress | None:
    """The MAC in an address that was derived from it (RFC 4291, appendix A)."""
    raw = b"" if address is None else address.packed
    if raw[:8] != b"\xfe\x80" + bytes(6) or raw[11:13] != b"\xff\xfe":
        return None
    return _mac(bytes([raw[8] ^ 2]) + raw[9:11] + raw[13:16])


def _mac(raw: bytes) -> MacAddress:
    return MacAddress.parse(raw.hex())


def _ip4(raw: bytes) -> Address | None:
    return IPv4Address(raw) if len(raw) == 4 and any(raw) else None


def _text(raw: bytes) -> str:
    """The text with unprintable characters replaced, because it comes from other machines."""
    text = "".join(
        character if character.isprintable() else "?" for character in raw.decode("utf-8", "replace")
    )
    return text[:MAX_TEXT].strip("? ")
