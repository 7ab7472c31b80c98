"""A DHCPv4 client that can be held between offer and request: `dhcp4_client.py INTERFACE MAC`.

Prints the offer as JSON, waits for a line on stdin, then requests, repeatedly until a server grants it;
as a client does whose server is gone, it asks anew (RFC 2131 §3.1.5) after a few requests without an answer.
"""

import json
import os
import socket
import struct
import sys
import time

COOKIE = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
TRIES, ROUNDS, PAUSE_S = 3, 10, 1.0


def message(kind: int, mac: bytes, xid: bytes, seconds: int, options: bytes = b"") -> bytes:
    """A broadcast message of the client."""
    head = struct.pack("!BBBB4sHH16x", 1, 1, 6, 0, xid, seconds, 0x8000)
    return head + mac + bytes(10 + 64 + 128) + COOKIE + bytes((53, 1, kind)) + options + b"\xff"


def frame(mac: bytes, payload: bytes) -> bytes:
    """Ethernet, IPv4 and UDP around it; an IPv4 checksum, none for UDP (RFC 768)."""
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    words = sum(struct.unpack("!10H", header))
    words = (words & 0xFFFF) + (words >> 16)
    checksum = ~(words + (words >> 16)) & 0xFFFF
    header = header[:10] + struct.pack("!H", checksum) + header[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + header + udp


def parse(data: bytes, xid: bytes) -> tuple[int, str, bytes] | None:
    """Kind, offered address and server of an answer to this exchange."""
    if len(data) < 42 or data[12:14] != b"\x08\x00" or data[23] != 17:
        return None
    start = 14 + (data[14] & 15) * 4
    if data[start : start + 4] != struct.pack("!HH", 67, 68):
        return None
    body = data[start + 8 :]
    if body[4:8] != xid or body[236:240] != COOKIE:
        return None
    options, place = {}, 240
    while place < len(body) and body[place] != 255:
        if body[place] == 0:
            place += 1
            continue
        options[body[place]] = body[place + 2 : place + 2 + body[place + 1]]
        place += 2 + body[place + 1]
    return options[53][0], socket.inet_ntoa(body[16:20]), options.get(54, b"")


def wait_for(wire: socket.socket, xid: bytes, kinds: tuple[int, ...]) -> tuple[int, str, bytes] | None:
    """The next answer of these kinds within the pause."""
    until = time.monotonic() + PAUSE_S
    while (left := until - time.monotonic()) > 0:
        wire.settimeout(left)
        try:
            found = parse(wire.recv(2048), xid)
        except TimeoutError:
            return None
        if found is not None and found[0] in kinds:
            return found
    return None


def main() -> None:
    """Offer, pause, and the address in the end."""
    nic, text = sys.argv[1:]
    mac = bytes.fromhex(text.replace(":", ""))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((nic, 0))
    began, held = time.monotonic(), False
    for _ in range(ROUNDS):
        xid = os.urandom(4)
        seconds = int(time.monotonic() - began)
        wire.send(frame(mac, message(DISCOVER, mac, xid, seconds)))
        offer = wait_for(wire, xid, (OFFER,))
        if offer is None:
            continue
        _, ip, server = offer
        if not held:
            print(json.dumps({"ip": ip, "server": socket.inet_ntoa(server)}), flush=True)
            sys.stdin.readline()
            held = True
        asked = bytes((50, 4)) + socket.inet_aton(ip) + bytes((54, 4)) + server
        for _ in range(TRIES):
            wire.send(frame(mac, message(REQUEST, mac, xid, seconds, asked)))
            given = wait_for(wire, xid, (ACK, NAK))
            if given is not None:
                break
        if given is not None and given[0] == ACK:
            print(json.dumps({"ip": given[1], "server": socket.inet_ntoa(given[2])}), flush=True)
            return
    raise SystemExit("no address")


if __name__ == "__main__":
    main()
