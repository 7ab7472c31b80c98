"""Asks for DHCP offers as an unknown client, without taking a lease."""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Any

from hostloom.wire.agent.frames import EVERYBODY, IP4, UDP, checksum, group_mac, ipv6, udp, udp_of
from hostloom.wire.agent.neighbours import defend
from hostloom.wire.agent.nic import Nic, mac_text
from hostloom.wire.dhcp_options import options4, options6

ANY_SERVER6 = socket.inet_pton(socket.AF_INET6, "ff02::1:2")
COOKIE = b"\x63\x82\x53\x63"


def discover(nic: Nic, transaction: bytes) -> bytes:
    """A DHCPDISCOVER (RFC 2131) that requests broadcast answers."""
    options = COOKIE + b"\x35\x01\x01" + b"\x37\x05\x01\x03\x06\x33\x36" + b"\xff"
    body = struct.pack("!BBBB4sHH16s16s192s", 1, 1, 6, 0, transaction, 0, 0x8000, b"", nic.mac, b"")
    payload = udp(68, 67, (body + options).ljust(300, b"\0"))
    length = 20 + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, UDP, 0, bytes(4), b"\xff" * 4)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return EVERYBODY + nic.mac + IP4 + head + payload


def offer(frame: bytes, transaction: bytes) -> dict[str, Any] | None:
    """The content of a DHCPOFFER to this client, or None."""
    message = udp_of(frame, 4, 68)
    if message is None or len(message[1]) < 244:
        return None
    source, body = message
    options = options4(body[240:])
    if body[0] != 2 or body[4:8] != transaction or options.get(53) != b"\x02":
        return None
    server, gateway, lease = (options.get(code, b"")[:4] for code in (54, 3, 51))
    return {
        "server": socket.inet_ntop(socket.AF_INET, server if len(server) == 4 else source),
        "mac": mac_text(frame[6:12]),
        "ip": socket.inet_ntop(socket.AF_INET, body[16:20]) if any(body[16:20]) else None,
        "gateway": socket.inet_ntop(socket.AF_INET, gateway) if len(gateway) == 4 else None,
        "lease_time_s": struct.unpack("!I", lease)[0] if len(lease) == 4 else None,
    }


def solicit(nic: Nic, transaction: bytes) -> bytes:
    """A SOLICIT (RFC 8415)."""
    body = b"\x01" + transaction
    for code, content in (
        (1, b"\0\x03\0\x01" + nic.mac),
        (3, nic.mac[2:] + bytes(8)),
        (6, b"\0\x17"),
        (8, b"\0\0"),
    ):
        body += struct.pack("!HH", code, len(content)) + content
    return ipv6(nic, group_mac(ANY_SERVER6), ANY_SERVER6, UDP, udp(546, 547, body), 6)


def advertise(frame: bytes, transaction: bytes) -> dict[str, Any] | None:
    """The content of an ADVERTISE to this client, or None."""
    message = udp_of(frame, 6, 546)
    if message is None or message[1][:4] != b"\x02" + transaction:
        return None
    options = options6(message[1][4:])
    address = offered_address(options)
    return {
        # A server with several addresses may answer from a different one each time.
        "identity": next((content.hex() for code, content in options if code == 2), ""),
        "server": socket.inet_ntop(socket.AF_INET6, message[0]),
        "mac": mac_text(frame[6:12]),
        "ip": socket.inet_ntop(socket.AF_INET6, address[:16]) if address else None,
        "gateway": None,
        "lease_time_s": struct.unpack("!I", address[20:24])[0] if address else None,
    }


def offered_address(options: list[tuple[int, bytes]]) -> bytes:
    """The first address option with its lifetimes; empty without an offer."""
    for code, association in options:
        for kind, content in options6(association[12:]) if code == 3 else []:
            if kind == 5 and len(content) >= 24:
                return content
    return b""


def dhcp(nic: Nic, job: dict[str, Any]) -> dict[str, Any]:
    """Every server that offers this client an address."""
    offers: dict[tuple[str, str], dict[str, Any]] = {}
    transaction = os.urandom(4 if job["version"] == 4 else 3)
    if job["version"] == 4:
        request, read_offer = discover(nic, transaction), offer
    else:
        request, read_offer = solicit(nic, transaction), advertise
    deadline = time.monotonic() + job["timeout_s"]
    for part in range(3):
        nic.send(request)
        for frame in nic.frames(deadline - job["timeout_s"] * (2 - part) / 3):
            defend(nic, frame)
            offered = read_offer(frame, transaction)
            if offered is not None:
                offers.setdefault((offered.pop("identity", "") or offered["server"], offered["mac"]), offered)
    return {"offers": [offers[key] for key in sorted(offers)]}
