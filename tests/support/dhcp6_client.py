"""A DHCPv6 client: asks on a NIC for one address and prints as JSON what it is given; {}: nothing.

Run by itself where the NIC is: python dhcp6_client.py NIC DUID [USER_CLASS].
"""

import contextlib
import json
import os
import socket
import struct
import sys
import time
from ipaddress import IPv6Address
from typing import Any

SOLICIT, ADVERTISE, REQUEST, REPLY = 1, 2, 3, 7
CLIENT_ID, SERVER_ID, IA_NA, IA_ADDRESS, ORO, ELAPSED, USER_CLASS, DNS, BOOTFILE = (
    1,
    2,
    3,
    5,
    6,
    8,
    15,
    23,
    59,
)
SERVERS = ("ff02::1:2", 547)
TRIES, WAIT_S = 12, 0.4


def option(code: int, data: bytes) -> bytes:
    """One option on the wire."""
    return struct.pack("!HH", code, len(data)) + data


def options(data: bytes) -> dict[int, bytes]:
    """The options of a message, by code; of several the last."""
    found = {}
    while len(data) >= 4:
        code, length = struct.unpack_from("!HH", data)
        found[code], data = data[4 : 4 + length], data[4 + length :]
    return found


def exchange(client: socket.socket, index: int, kind: int, body: bytes, wanted: int) -> dict[int, bytes]:
    """Send until the answer comes; empty when it does not."""
    transaction = os.urandom(3)
    for _ in range(TRIES):
        with contextlib.suppress(OSError):  # the NIC has no link-local address yet
            client.sendto(bytes([kind]) + transaction + body, (*SERVERS, 0, index))
        until = time.monotonic() + WAIT_S
        while (left := until - time.monotonic()) > 0:
            client.settimeout(left)
            try:
                answer = client.recv(4096)
            except TimeoutError:
                break
            if answer[0] == wanted and answer[1:4] == transaction:
                return options(answer[4:])
    return {}


def ask(nic: str, duid: bytes, user_class: bytes = b"") -> dict[str, Any]:
    """What the server gives."""
    index = socket.if_nametoindex(nic)
    asked = (
        option(CLIENT_ID, duid) + option(ORO, struct.pack("!HH", DNS, BOOTFILE)) + option(ELAPSED, b"\0\0")
    )
    if user_class:
        asked += option(USER_CLASS, struct.pack("!H", len(user_class)) + user_class)
    want = option(IA_NA, struct.pack("!III", 1, 0, 0))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, nic.encode())
        client.bind(("::", 546))
        offered = exchange(client, index, SOLICIT, asked + want, ADVERTISE)
        if IA_ADDRESS not in options(offered.get(IA_NA, b"")[12:]):
            return {}
        again = asked + option(SERVER_ID, offered[SERVER_ID]) + option(IA_NA, offered[IA_NA])
        given = exchange(client, index, REQUEST, again, REPLY)
    address = options(given.get(IA_NA, b"")[12:]).get(IA_ADDRESS)
    if address is None:
        return {}
    dns = given.get(DNS, b"")
    return {
        "ip": str(IPv6Address(address[:16])),
        "dns": [str(IPv6Address(dns[n : n + 16])) for n in range(0, len(dns), 16)],
        "boot_file": given.get(BOOTFILE, b"").decode(),
    }


if __name__ == "__main__":
    nic, duid, *user_class = sys.argv[1:]
    print(json.dumps(ask(nic, bytes.fromhex(duid), *(each.encode() for each in user_class))))
