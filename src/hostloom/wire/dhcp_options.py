"""Options of DHCP messages; the probe agent includes this module."""

from __future__ import annotations

import struct

PAD, END = 0, 255


def options4(data: bytes) -> dict[int, bytes]:
    """DHCPv4 options by code; the parts of a split option are joined (RFC 3396)."""
    options: dict[int, bytes] = {}
    place = 0
    while place + 1 < len(data) and data[place] != END:
        code = data[place]
        if code == PAD:
            place += 1
            continue
        end = place + 2 + data[place + 1]
        options[code] = options.get(code, b"") + data[place + 2 : end]
        place = end
    return options


def options6(data: bytes) -> list[tuple[int, bytes]]:
    """DHCPv6 options in order."""
    options: list[tuple[int, bytes]] = []
    place = 0
    while place + 4 <= len(data):
        code, length = struct.unpack_from("!HH", data, place)
        options.append((code, data[place + 4 : place + 4 + length]))
        place += 4 + length
    return options
