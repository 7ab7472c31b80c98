"""Reads the switch port behind a NIC from an LLDP frame (IEEE 802.1AB); pure."""

import struct
from collections.abc import Iterator
from ipaddress import ip_address

from hostloom.model.commissioning import LldpNeighbour
from hostloom.model.errors.values import InvalidValue

ETHERTYPE = 0x88CC
#: 802.1Q and 802.1ad: a tag adds four bytes before the type of the payload.
_TAGS = (0x8100, 0x88A8)
_CHASSIS, _PORT, _SYSTEM_NAME, _ORGANIZATION = 1, 2, 5, 127
_DOT1 = b"\x00\x80\xc2"
_PORT_VID = 1
#: Subtypes of chassis and port ids (tables 8-2 and 8-3) for MAC and network addresses.
_MAC_SUBTYPES = {_CHASSIS: 4, _PORT: 3}
_ADDRESS_SUBTYPES = {_CHASSIS: 5, _PORT: 4}
_FAMILIES = {1: 4, 2: 16}
MAX_TEXT = 255


def parse_frame(frame_hex: str, field: str = "lldp") -> LldpNeighbour:
    """The content of the last LLDP frame; InvalidValue for a frame without chassis and port."""
    try:
        frame = bytes.fromhex(frame_hex)
        values = _values(_payload(frame))
        chassis, port = (_identity(kind, values[kind]) for kind in (_CHASSIS, _PORT))
    except (ValueError, KeyError, struct.error) as error:
        raise InvalidValue(
            field, frame_hex[:40], "is not an LLDP frame", "send the whole frame in hexadecimal"
        ) from error
    return LldpNeighbour(
        chassis,
        port,
        _text(values.get(_SYSTEM_NAME, b"")),
        _vid(values.get(_ORGANIZATION, b"")),
    )


def _payload(frame: bytes) -> bytes:
    """The payload after both MAC addresses, tags and the type."""
    start = 12
    while (kind := struct.unpack_from("!H", frame, start)[0]) in _TAGS:
        start += 4
    if kind != ETHERTYPE:
        raise ValueError("not LLDP")
    return frame[start + 2 :]


def _values(payload: bytes) -> dict[int, bytes]:
    """The first value of each type; of the organizational ones only the port's VLAN id."""
    values: dict[int, bytes] = {}
    for kind, value in _tlvs(payload):
        if kind == _ORGANIZATION and value[:4] != _DOT1 + bytes([_PORT_VID]):
            continue
        values.setdefault(kind, value)
    return values


def _tlvs(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Types (seven bits), lengths (nine bits) and values; type 0 ends the list."""
    offset = 0
    while offset < len(payload):
        head = struct.unpack_from("!H", payload, offset)[0]
        kind, length = head >> 9, head & 0x1FF
        offset += 2
        if kind == 0:
            return
        if offset + length > len(payload):
            raise ValueError("cut off")
        yield kind, payload[offset : offset + length]
        offset += length


def _identity(kind: int, value: bytes) -> str:
    """A chassis or port id; its first byte is the subtype."""
    if len(value) < 2:
        raise ValueError("no id")
    subtype, identifier = value[0], value[1:]
    if subtype == _MAC_SUBTYPES[kind] and len(identifier) == 6:
        return identifier.hex(":")
    if subtype == _ADDRESS_SUBTYPES[kind] and _FAMILIES.get(identifier[0]) == len(identifier) - 1:
        return str(ip_address(identifier[1:]))
    if not (text := _text(identifier)):
        raise ValueError("no id")
    return text


def _text(value: bytes) -> str:
    """The text as the switch wrote it; hexadecimal if it is not text."""
    text = value.rstrip(b"\x00").decode("utf-8", "replace")
    return text[:MAX_TEXT] if text.isprintable() and "\ufffd" not in text else value.hex()[:MAX_TEXT]


def _vid(value: bytes) -> int | None:
    """The VLAN id; None for 0, which means that the port has none."""
    if len(value) != 6:
        return None
    vid = int(struct.unpack_from("!H", value, 4)[0])
    return vid if 0 < vid < 4095 else None
