"""Finds the holders of addresses (ARP, neighbour discovery), and measures the path MTU to them."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

from hostloom.wire.agent.frames import ARP, EVERYBODY, ICMP6, IP6, group_mac, ipv6
from hostloom.wire.agent.nic import Nic, mac_text

SOLICITATION, ADVERTISEMENT = 135, 136
#: An experimental option (RFC 4727), which every receiver ignores.
ND_PADDING = 253
#: The smallest MTU, at which the search begins.
SHORTEST = 46
#: Time after which two unanswered frames of a length count as too long.
ROUND_S = 0.25


def defend(nic: Nic, frame: bytes) -> None:
    """Advertise this NIC's MAC, so that others can answer its link-local address."""
    is_solicitation = frame[20:21] == bytes([ICMP6]) and frame[54:55] == bytes([SOLICITATION])
    if frame[12:14] != IP6 or not is_solicitation:
        return
    if frame[62:78] == nic.link_local and frame[22:38] != bytes(16):
        body = struct.pack("!BBHI", ADVERTISEMENT, 0, 0, 0x60000000) + nic.link_local + b"\x02\x01" + nic.mac
        nic.send(ipv6(nic, frame[6:12], frame[22:38], ICMP6, body, 2))


def question(nic: Nic, target: bytes, length: int) -> bytes:
    """A question for an address, padded to the given length if that is longer."""
    if len(target) == 4:
        packet = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, nic.mac, bytes(4), bytes(6), target)
        return (EVERYBODY + nic.mac + ARP + packet).ljust(14 + length, b"\0")
    to = b"\xff\x02" + bytes(9) + b"\x01\xff" + target[-3:]
    body = struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + target + b"\x01\x01" + nic.mac
    room = (length - 40 - len(body)) // 8
    while room > 0:
        body += bytes([ND_PADDING, min(room, 255)]) + bytes(min(room, 255) * 8 - 2)
        room -= 255
    return ipv6(nic, group_mac(to), to, ICMP6, body, 2).ljust(14 + length, b"\0")


def answer(frame: bytes) -> tuple[bytes, bytes] | None:
    """The address that a frame claims and the MAC that claims it, or None."""
    if frame[12:14] == ARP and frame[20:22] == b"\0\x02":
        return frame[28:32], frame[22:28]
    is_advertisement = frame[20:21] == bytes([ICMP6]) and frame[54:55] == bytes([ADVERTISEMENT])
    if frame[12:14] == IP6 and is_advertisement:
        option = frame[78:86]
        return frame[62:78], option[2:] if option[:2] == b"\x02\x01" else frame[6:12]
    return None


def listen(nic: Nic, deadline: float, macs: dict[bytes, set[bytes]], *, until_all: bool = False) -> None:
    """Record the MACs that answer for each address; with `until_all`, stop when each has an answer."""
    for frame in nic.frames(deadline):
        defend(nic, frame)
        claim = answer(frame)
        if claim is not None and claim[0] in macs and claim[1] != nic.mac:
            macs[claim[0]].add(claim[1])
        if until_all and all(macs.values()):
            return


def reach(nic: Nic, job: dict[str, Any]) -> dict[str, Any]:
    """The holders of each address, and the length of packets that reach them."""
    targets = {text: parse_address(text) for text in job["targets"]}
    macs: dict[bytes, set[bytes]] = {target: set() for target in targets.values()}
    begin = time.monotonic()
    for part in (1, 2, 3):
        for target in macs:
            nic.send(question(nic, target, SHORTEST))
        listen(nic, begin + job["timeout_s"] * part / 3, macs)
    longest: dict[bytes, int] = {}
    if job.get("mtu"):
        longest = measure(nic, [target for target, holders in macs.items() if holders], job["mtu"])
    return {
        "reach": [
            {
                "target": text,
                "macs": sorted(mac_text(mac) for mac in macs[target]),
                "mtu": longest.get(target),
            }
            for text, target in targets.items()
        ]
    }


def measure(nic: Nic, targets: list[bytes], mtu: int) -> dict[bytes, int]:
    """The longest packet that each address answers, up to `mtu`, by one binary search for all."""
    passes, fails = dict.fromkeys(targets, SHORTEST), dict.fromkeys(targets, mtu + 1)
    lengths = dict.fromkeys(targets, mtu)
    while lengths:
        macs: dict[bytes, set[bytes]] = {target: set() for target in lengths}
        begin = time.monotonic()
        for part in (1, 2):
            for target, length in lengths.items():
                if not macs[target]:
                    nic.send(question(nic, target, length))
            listen(nic, begin + ROUND_S * part / 2, macs, until_all=True)
        for target, length in lengths.items():
            (passes if macs[target] else fails)[target] = length
        undecided = [target for target in lengths if fails[target] - passes[target] > 1]
        lengths = {target: (passes[target] + fails[target]) // 2 for target in undecided}
    return passes


def parse_address(address: str) -> bytes:
    """The bytes of an address."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
