"""The probe itself: a program of its own that any python3 (3.8 or later) of a host runs from its stdin.

It takes a job as JSON in its one argument and prints its answer as JSON. Everything that it makes hangs on a
network namespace without a name, which ends with the process, however that ends. Only the standard library,
and nothing of hostloom: on the host there is no more than this text.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

#: Names of what it puts on a host begin so, and go on with its process id in hexadecimal digits.
PREFIX = "hlp"
CLONE_NEWNET = 0x40000000
NEWLINK, DELLINK, GETLINK, SETLINK = 16, 17, 18, 19
REQUEST, ACK, DUMP, CREATE, EXCLUSIVE = 0x1, 0x4, 0x300, 0x400, 0x200
ERROR, DONE, NESTED = 2, 3, 0x8000
ADDRESS, IFNAME, MTU, LINK, MASTER, PROTINFO, LINKINFO, AF_SPEC, NETNS_FD = 1, 3, 4, 5, 10, 12, 18, 26, 28
INFO_KIND, INFO_DATA, INFO_SLAVE_DATA = 1, 2, 5
VETH_PEER, MACVLAN_MODE, BRIDGE_PORT_STATE, ADDR_GEN_MODE, GEN_NONE = 1, 1, 1, 8, 1
AF_BRIDGE, FORWARDING, UP, LOWER_UP = 7, 3, 0x1, 0x10000
MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
ETH_ALL, OUTGOING = 3, 4
SOL_PACKET, ADD_MEMBERSHIP, ALL_MULTICAST, SO_ATTACH_FILTER = 263, 1, 2, 26
EVERYBODY = b"\xff" * 6
ANY_SERVER6 = socket.inet_pton(socket.AF_INET6, "ff02::1:2")
COOKIE = b"\x63\x82\x53\x63"
#: RFC 4727: for experiments, ignored by all.
ND_PADDING = 253
#: A port of a bridge that runs STP forwards after twice its forward delay (15 s).
READY_S = 35.0
#: Without carrier for so long, there is none.
CARRIER_S = 5.0
#: The shortest packet that every Ethernet frame may carry, where searching for what passes begins.
SHORTEST = 46
#: Two frames of a length unanswered for so long: it does not pass.
ROUND_S = 0.25


class Refused(Exception):
    """The interface cannot take a probe."""


def attribute(kind: int, data: bytes) -> bytes:
    """One netlink attribute, padded."""
    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in a netlink message, by kind."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def text(data: bytes) -> str:
    """A C string."""
    return data.split(b"\0")[0].decode(errors="replace")


def number(data: bytes) -> int:
    """Four bytes of the host's order."""
    return struct.unpack("=I", data)[0] if len(data) == 4 else 0


class Links:
    """The links of the namespace in which it was made, for as long as it lives."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.socket.bind((0, 0))
        self.sequence = 0

    def ask(
        self, kind: int, flags: int, index: int = 0, family: int = 0, *, up: bool = False, parts: bytes = b""
    ) -> list[bytes]:
        """Every message of the answer; OSError of the kernel."""
        self.sequence += 1
        head = struct.pack("=BxHiII", family, 0, index, UP if up else 0, UP if up else 0)
        body = head + parts
        header = struct.pack("=IHHII", 16 + len(body), kind, REQUEST | ACK | flags, self.sequence, 0)
        self.socket.send(header + body)
        found: list[bytes] = []
        while True:
            answer, at = self.socket.recv(1 << 20), 0
            while at + 16 <= len(answer):
                length, what, _, sequence, _ = struct.unpack_from("=IHHII", answer, at)
                content = answer[at + 16 : at + length]
                at += (length + 3) & ~3
                if sequence != self.sequence:
                    continue
                if what == ERROR:
                    code = -struct.unpack_from("=i", content)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    return found
                if what == DONE:
                    return found
                found.append(content)

    def all(self) -> list[dict[str, Any]]:
        """Every link as a dict."""
        return [self._link(each) for each in self.ask(GETLINK, DUMP)]

    def index_of(self, name: str) -> int:
        """The number of a link that is there."""
        return next(int(each["index"]) for each in self.all() if each["name"] == name)

    def get(self, index: int) -> dict[str, Any]:
        """The link as it is now."""
        return self._link(self.ask(GETLINK, 0, index)[0])

    def add(self, parts: bytes) -> None:
        """Make a link."""
        self.ask(NEWLINK, CREATE | EXCLUSIVE, parts=parts)

    def set(self, index: int, parts: bytes = b"", *, up: bool = False, family: int = 0) -> None:
        """Change a link."""
        self.ask(SETLINK, 0, index, family, up=up, parts=parts)

    def silence(self, index: int) -> None:
        """Give it no IPv6 address of the kernel's own, with which the kernel would speak."""
        mode = attribute(ADDR_GEN_MODE, bytes([GEN_NONE]))
        with contextlib.suppress(OSError):  # a kernel without IPv6 says nothing anyway
            self.set(index, attribute(AF_SPEC | NESTED, attribute(socket.AF_INET6 | NESTED, mode)))

    def sweep(self) -> None:
        """Remove what is left of probes whose process is gone."""
        for each in self.all():
            digits = each["name"][len(PREFIX) :]
            if each["name"].startswith(PREFIX) and each["kind"] == "veth" and not alive(digits):
                with contextlib.suppress(OSError):  # its namespace has just ended, and it with it
                    self.ask(DELLINK, 0, each["index"])

    @staticmethod
    def _link(content: bytes) -> dict[str, Any]:
        _, kind, index, flags, _ = struct.unpack_from("=BxHiII", content)
        found = attributes(content[16:])
        info = attributes(found.get(LINKINFO, b""))
        data = attributes(info.get(INFO_DATA, b"")) if INFO_DATA in info else {}
        port = attributes(info.get(INFO_SLAVE_DATA, b"")) if INFO_SLAVE_DATA in info else {}
        return {
            "index": index,
            "hardware": kind,
            "name": text(found.get(IFNAME, b"")),
            "flags": flags,
            "mac": found.get(ADDRESS, b""),
            "mtu": number(found.get(MTU, b"")),
            "parent": number(found.get(LINK, b"")),
            "master": number(found.get(MASTER, b"")),
            "kind": text(info.get(INFO_KIND, b"")),
            "mode": number(data.get(MACVLAN_MODE, b"")),
            "port_state": (port.get(BRIDGE_PORT_STATE) or b"\0")[0],
        }


def alive(digits: str) -> bool:
    """Whether the process with these hexadecimal digits runs."""
    try:
        return Path(f"/proc/{int(digits, 16)}").exists()
    except ValueError:
        return False


def unshare() -> None:
    """Enter a namespace of our own, without a name."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"no network namespace: {os.strerror(code)}")


class Nic:
    """A throw-away NIC in a namespace of our own, beside a bridge's or parent's others."""

    def __init__(self, source: str, kind: str, mode: str) -> None:
        outside = Links()
        outside.sweep()
        there = outside.all()
        parent = check(next((each for each in there if each["name"] == source), None), kind, there)
        # Locally administered; the bridge's own address stays the lowest of its ports, as with a machine's.
        self.mac = b"\x02" + os.urandom(5)
        self.link_local = b"\xfe\x80" + bytes(6) + b"\0" + self.mac[1:3] + b"\xff\xfe" + self.mac[3:]
        #: What leaves the parent from a server on this very machine never comes in.
        self.beside = packet_socket(source, answers_only=True) if kind == "macvlan" else None
        unshare()
        inside = Links()
        with Path("/proc/self/ns/net").open() as here:
            where = attribute(NETNS_FD, struct.pack("=I", here.fileno()))
            port = 0
            if kind == "bridge":
                port = plug(outside, parent, self.mac, where)
            else:
                beside(outside, parent, mode, self.mac, where)
        nic = inside.get(inside.index_of("probe"))
        inside.silence(nic["index"])
        try:
            inside.set(nic["index"], up=True)
        except OSError as error:
            raise Refused("it is down" if error.errno == errno.ENETDOWN else str(error.strerror)) from error
        wait_for(lambda: inside.get(nic["index"])["flags"] & LOWER_UP, CARRIER_S, "it has no carrier")
        if port:
            forward(outside, port)
        self.socket = packet_socket("probe")
        membership = struct.pack("=iHH8s", nic["index"], ALL_MULTICAST, 0, b"")
        self.socket.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, membership)

    def send(self, frame: bytes) -> None:
        """Send it, unless it is longer than the interface takes."""
        try:
            self.socket.send(frame.ljust(60, b"\0"))
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS, errno.EAGAIN):
                raise

    def frames(self, until: float) -> Iterator[bytes]:
        """Whatever comes in until then, and what a server on this machine sends out."""
        sockets = [each for each in (self.socket, self.beside) if each is not None]
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return
            for each in select.select(sockets, [], [], left)[0]:
                frame, where = each.recvfrom(65536)
                if (where[2] == OUTGOING) == (each is self.beside):
                    yield frame


def check(link: dict[str, Any] | None, kind: str, there: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether a probe may be put there."""
    if link is None:
        raise Refused("there is no such interface")
    if kind == "bridge":
        if link["kind"] == "openvswitch":
            raise Refused("Open vSwitch would remember the port of a probe that was killed")
        if link["kind"] != "bridge":
            raise Refused("it is no bridge")
        if not link["flags"] & UP:
            raise Refused("it is down")
        return link
    if link["hardware"] != 1 or link["kind"] == "openvswitch":
        raise Refused("no macvlan can be put on it")
    if link["master"]:
        master = next((each["name"] for each in there if each["index"] == link["master"]), "another")
        raise Refused(f"it is held by {master}, of which it is a member")
    for each in there:
        own = each["kind"] in ("macvtap", "macvlan") and each["parent"] == link["index"]
        if own and each["mode"] & MODES["passthru"]:
            raise Refused(f"it is held by {each['name']} in mode passthru")
    return link


def plug(links: Links, bridge: dict[str, Any], mac: bytes, where: bytes) -> int:
    """A cable from the bridge to our namespace; the index of its port.

    The port has the bridge's MTU, or the bridge would take on a smaller one, and a high MAC, or the bridge
    would take on that.
    """
    name = f"{PREFIX}{os.getpid():x}".encode() + b"\0"
    mtu = attribute(MTU, struct.pack("=I", bridge["mtu"]))
    peer = attribute(IFNAME, b"probe\0") + attribute(ADDRESS, mac) + mtu + where
    data = attribute(VETH_PEER | NESTED, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + peer)
    info = attribute(INFO_KIND, b"veth\0") + attribute(INFO_DATA | NESTED, data)
    links.add(
        attribute(IFNAME, name)
        + attribute(ADDRESS, b"\xfe" + mac[1:])
        + mtu
        + attribute(LINKINFO | NESTED, info)
    )
    port = links.index_of(text(name))
    links.silence(port)
    links.set(port, attribute(MASTER, struct.pack("=I", bridge["index"])))
    links.set(port, up=True)
    return port


def forward(links: Links, port: int) -> None:
    """Have a bridge's port forward: at once where that is ours to say, else when the bridge will."""
    state = attribute(BRIDGE_PORT_STATE, bytes([FORWARDING]))
    with contextlib.suppress(OSError):  # with STP on, that is the kernel's to say
        links.set(port, attribute(PROTINFO | NESTED, state), family=AF_BRIDGE)
    wait_for(lambda: links.get(port)["port_state"] == FORWARDING, READY_S, "its new port does not forward")


def beside(links: Links, parent: dict[str, Any], mode: str, mac: bytes, where: bytes) -> None:
    """A macvlan on the parent, in our namespace from the start."""
    # A parent without an owner is probed as its owner would see it, and keeps its own MAC.
    number_of = MODES["private" if mode == "passthru" else mode]
    data = attribute(MACVLAN_MODE, struct.pack("=I", number_of))
    info = attribute(INFO_KIND, b"macvlan\0") + attribute(INFO_DATA | NESTED, data)
    try:
        links.add(
            attribute(IFNAME, b"probe\0")
            + attribute(ADDRESS, mac)
            + attribute(LINK, struct.pack("=I", parent["index"]))
            + where
            + attribute(LINKINFO | NESTED, info)
        )
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise
        raise Refused(f"no macvlan can be put on it: {error.strerror}") from error


def packet_socket(name: str, *, answers_only: bool = False) -> socket.socket:
    """Frames of an interface; `answers_only`: only DHCPv4 answers, which a busy one has few of."""
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    if answers_only:
        program = (
            (0x28, 0, 0, 12),  # the EtherType
            (0x15, 0, 5, 0x0800),
            (0x30, 0, 0, 23),  # the protocol
            (0x15, 0, 3, 17),
            (0x28, 0, 0, 36),  # the port that it goes to
            (0x15, 0, 1, 68),
            (0x06, 0, 0, 65535),
            (0x06, 0, 0, 0),
        )
        code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in program))
        filtering = struct.pack("@HP", len(program), ctypes.addressof(code))
        found.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filtering)
    found.bind((name, ETH_ALL))
    return found


def wait_for(ready: Callable[[], object], timeout_s: float, otherwise: str) -> None:
    """Wait until it is so."""
    until = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > until:
            raise Refused(otherwise)
        time.sleep(0.02)


def checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def mac_text(mac: bytes) -> str:
    """`52:54:00:…`."""
    return ":".join(f"{each:02x}" for each in mac)


def group_mac(ip: bytes) -> bytes:
    """The link address of an IPv6 multicast group."""
    return b"\x33\x33" + ip[-4:]


def ipv6(nic: Nic, to_mac: bytes, to: bytes, protocol: int, payload: bytes, at: int) -> bytes:
    """A frame with an IPv6 packet from our link-local address; its checksum belongs at `at`."""
    pseudo = nic.link_local + to + struct.pack("!I3xB", len(payload), protocol)
    payload = payload[:at] + struct.pack("!H", checksum(pseudo + payload)) + payload[at + 2 :]
    head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + nic.link_local + to
    return to_mac + nic.mac + b"\x86\xdd" + head + payload


def udp(sport: int, dport: int, payload: bytes) -> bytes:
    """A UDP datagram without a checksum, which over IPv4 it may lack."""
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def udp_of(frame: bytes, version: int, port: int) -> tuple[bytes, bytes] | None:
    """The IP source and the UDP payload of a frame to a port, or None."""
    if version == 4:
        if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != 17:
            return None
        start, source = 14 + (frame[14] & 15) * 4, frame[26:30]
    else:
        if len(frame) < 62 or frame[12:14] != b"\x86\xdd" or frame[20] != 17:
            return None
        start, source = 54, frame[22:38]
    if len(frame) < start + 8 or frame[start + 2 : start + 4] != struct.pack("!H", port):
        return None
    length = struct.unpack_from("!H", frame, start + 4)[0]
    return source, frame[start + 8 : start + length]


def discover(nic: Nic, transaction: bytes) -> bytes:
    """A DHCPDISCOVER (RFC 2131) whose answers may come to everybody."""
    options = COOKIE + b"\x35\x01\x01" + b"\x37\x05\x01\x03\x06\x33\x36" + b"\xff"
    body = struct.pack("!BBBB4sHH16s16s192s", 1, 1, 6, 0, transaction, 0, 0x8000, b"", nic.mac, b"")
    body += options
    payload = udp(68, 67, body.ljust(300, b"\0"))
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return EVERYBODY + nic.mac + b"\x08\x00" + head + payload


def options4(data: bytes) -> dict[int, bytes]:
    """DHCPv4 options by code."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        found[data[at]] = found.get(data[at], b"") + data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found


def offer(frame: bytes, transaction: bytes) -> dict[str, Any] | None:
    """What a DHCPOFFER of ours says, or None."""
    found = udp_of(frame, 4, 68)
    if found is None or len(found[1]) < 244:
        return None
    source, body = found
    options = options4(body[240:])
    if body[0] != 2 or body[4:8] != transaction or options.get(53) != b"\x02":
        return None
    server, gateway, lease = (options.get(each, b"")[:4] for each in (54, 3, 51))
    return {
        "server": socket.inet_ntop(socket.AF_INET, server if len(server) == 4 else source),
        "mac": mac_text(frame[6:12]),
        "ip": socket.inet_ntop(socket.AF_INET, body[16:20]) if any(body[16:20]) else None,
        "gateway": socket.inet_ntop(socket.AF_INET, gateway) if len(gateway) == 4 else None,
        "lease_time_s": struct.unpack("!I", lease)[0] if len(lease) == 4 else None,
    }


def solicit(nic: Nic, transaction: bytes) -> bytes:
    """A SOLICIT (RFC 8415)."""
    client = b"\0\x03\0\x01" + nic.mac
    body = b"\x01" + transaction
    for code, content in (
        (1, client),
        (3, nic.mac[2:] + bytes(8)),
        (6, b"\0\x17"),
        (8, b"\0\0"),
    ):
        body += struct.pack("!HH", code, len(content)) + content
    return ipv6(nic, group_mac(ANY_SERVER6), ANY_SERVER6, 17, udp(546, 547, body), 6)


def options6(data: bytes) -> list[tuple[int, bytes]]:
    """DHCPv6 options in order."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("!HH", data, at)
        found.append((code, data[at + 4 : at + 4 + length]))
        at += 4 + length
    return found


def advertise(frame: bytes, transaction: bytes) -> dict[str, Any] | None:
    """What an ADVERTISE of ours says, or None."""
    found = udp_of(frame, 6, 546)
    if found is None or found[1][:4] != b"\x02" + transaction:
        return None
    options = options6(found[1][4:])
    given = [
        inner
        for code, content in options
        if code == 3
        for kind, inner in options6(content[12:])
        if kind == 5 and len(inner) >= 24
    ]
    return {
        # It may answer from one of its addresses now and from another one then.
        "identity": next((content.hex() for code, content in options if code == 2), ""),
        "server": socket.inet_ntop(socket.AF_INET6, found[0]),
        "mac": mac_text(frame[6:12]),
        "ip": socket.inet_ntop(socket.AF_INET6, given[0][:16]) if given else None,
        "gateway": None,
        "lease_time_s": struct.unpack("!I", given[0][20:24])[0] if given else None,
    }


def dhcp(nic: Nic, job: dict[str, Any]) -> dict[str, Any]:
    """Every server that would give us an address."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    transaction = os.urandom(4 if job["version"] == 4 else 3)
    if job["version"] == 4:
        ask, read = discover(nic, transaction), offer
    else:
        ask, read = solicit(nic, transaction), advertise
    until = time.monotonic() + job["timeout_s"]
    for part in range(3):
        nic.send(ask)
        for frame in nic.frames(until - job["timeout_s"] * (2 - part) / 3):
            defend(nic, frame)
            seen = read(frame, transaction)
            if seen is not None:
                found.setdefault((seen.pop("identity", "") or seen["server"], seen["mac"]), seen)
    return {"offers": [found[key] for key in sorted(found)]}


def defend(nic: Nic, frame: bytes) -> None:
    """Say who we are to whoever wants to answer our link-local address."""
    if frame[12:14] != b"\x86\xdd" or frame[20:21] != b"\x3a" or frame[54:55] != b"\x87":
        return
    if frame[62:78] == nic.link_local and frame[22:38] != bytes(16):
        body = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + nic.link_local + b"\x02\x01" + nic.mac
        nic.send(ipv6(nic, frame[6:12], frame[22:38], 58, body, 2))


def question(nic: Nic, target: bytes, length: int) -> bytes:
    """Who has the address, in a packet that long; the shortest if it is shorter than the question."""
    if len(target) == 4:
        packet = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, nic.mac, bytes(4), bytes(6), target)
        return (EVERYBODY + nic.mac + b"\x08\x06" + packet).ljust(14 + length, b"\0")
    to = b"\xff\x02" + bytes(9) + b"\x01\xff" + target[-3:]
    body = struct.pack("!BBHI", 135, 0, 0, 0) + target + b"\x01\x01" + nic.mac
    room = (length - 40 - len(body)) // 8
    while room > 0:
        body += bytes([ND_PADDING, min(room, 255)]) + bytes(min(room, 255) * 8 - 2)
        room -= 255
    return ipv6(nic, group_mac(to), to, 58, body, 2).ljust(14 + length, b"\0")


def answer(frame: bytes) -> tuple[bytes, bytes] | None:
    """The address that a device claims and its MAC, or None."""
    if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\x02":
        return frame[28:32], frame[22:28]
    if frame[12:14] == b"\x86\xdd" and frame[20:21] == b"\x3a" and frame[54:55] == b"\x88":
        told = frame[78:86]
        return frame[62:78], told[2:] if told[:2] == b"\x02\x01" else frame[6:12]
    return None


def listen(nic: Nic, until: float, found: dict[bytes, set[bytes]], *, until_all: bool = False) -> None:
    """Note who answers; with `until_all`, only until each has."""
    for frame in nic.frames(until):
        defend(nic, frame)
        said = answer(frame)
        if said is not None and said[0] in found and said[1] != nic.mac:
            found[said[0]].add(said[1])
        if until_all and all(found.values()):
            return


def reach(nic: Nic, job: dict[str, Any]) -> dict[str, Any]:
    """Who has each address, and how long packets to it may be."""
    targets = {each: parse(each) for each in job["targets"]}
    found: dict[bytes, set[bytes]] = {each: set() for each in targets.values()}
    begin = time.monotonic()
    for part in (1, 2, 3):
        for target in found:
            nic.send(question(nic, target, SHORTEST))
        listen(nic, begin + job["timeout_s"] * part / 3, found)
    passing: dict[bytes, int] = {}
    if job.get("mtu"):
        passing = measure(nic, [target for target, macs in found.items() if macs], job["mtu"])
    return {
        "reach": [
            {
                "target": each,
                "macs": sorted(mac_text(mac) for mac in found[target]),
                "mtu": passing.get(target),
            }
            for each, target in targets.items()
        ]
    }


def measure(nic: Nic, targets: list[bytes], mtu: int) -> dict[bytes, int]:
    """The longest packet that each answers, up to `mtu`: all at once, by halving what is open."""
    passes, fails = dict.fromkeys(targets, SHORTEST), dict.fromkeys(targets, mtu + 1)
    length = dict.fromkeys(targets, mtu)
    while length:
        found: dict[bytes, set[bytes]] = {each: set() for each in length}
        begin = time.monotonic()
        for part in (1, 2):
            for target, size in length.items():
                if not found[target]:
                    nic.send(question(nic, target, size))
            listen(nic, begin + ROUND_S * part / 2, found, until_all=True)
        for target, size in length.items():
            (passes if found[target] else fails)[target] = size
        length = {
            each: (passes[each] + fails[each]) // 2 for each in length if fails[each] - passes[each] > 1
        }
    return passes


def parse(address: str) -> bytes:
    """The bytes of an address."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The answer to a job: `offers`, `reach`, or why there is none: `refused` or `unable`."""
    signal.alarm(int(job["end_s"]))
    try:
        nic = Nic(job["source"], job["kind"], job.get("mode") or "bridge")
        return dhcp(nic, job) if job["task"] == "dhcp" else reach(nic, job)
    except Refused as error:
        return {"refused": str(error)}
    except PermissionError as error:
        return {"unable": f"its user may not make network interfaces ({error.strerror})"}
    except OSError as error:
        return {"unable": str(error)}


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
