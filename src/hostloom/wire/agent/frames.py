"""Builds and parses Ethernet frames with IPv4, IPv6 and UDP."""

from __future__ import annotations

import struct

from hostloom.wire.agent.nic import Nic

EVERYBODY = b"\xff" * 6
IP4, ARP, IP6 = b"\x08\x00", b"\x08\x06", b"\x86\xdd"
UDP, ICMP6 = 17, 58


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def group_mac(ip: bytes) -> bytes:
    """The link address of an IPv6 multicast group."""
    return b"\x33\x33" + ip[-4:]


def ipv6(nic: Nic, to_mac: bytes, to: bytes, protocol: int, payload: bytes, place: int) -> bytes:
    """A frame with an IPv6 packet from the link-local address; its checksum is at `place`."""
    pseudo = nic.link_local + to + struct.pack("!I3xB", len(payload), protocol)
    total = struct.pack("!H", checksum(pseudo + payload))
    payload = payload[:place] + total + payload[place + 2 :]
    head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + nic.link_local + to
    return to_mac + nic.mac + IP6 + head + payload


def udp(sport: int, dport: int, payload: bytes) -> bytes:
    """A UDP datagram without a checksum, which is optional over IPv4."""
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def udp_of(frame: bytes, version: int, port: int) -> tuple[bytes, bytes] | None:
    """The IP source and the UDP payload of a frame to a port, or None."""
    if version == 4:
        if len(frame) < 42 or frame[12:14] != IP4 or frame[23] != UDP:
            return None
        start, source = 14 + (frame[14] & 15) * 4, frame[26:30]
    else:
        if len(frame) < 62 or frame[12:14] != IP6 or frame[20] != UDP:
            return None
        start, source = 54, frame[22:38]
    if len(frame) < start + 8 or frame[start + 2 : start + 4] != struct.pack("!H", port):
        return None
    length = struct.unpack_from("!H", frame, start + 4)[0]
    return source, frame[start + 8 : start + length]
