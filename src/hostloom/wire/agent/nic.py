"""A temporary NIC in its own namespace."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

from hostloom.wire.agent.links import (
    NAME,
    PREFIX,
    AgentError,
    CommandFailed,
    Namespace,
    check,
    unshare,
    wait_for,
)

ETH_ALL, OUTGOING = 3, 4
SOL_PACKET, ADD_MEMBERSHIP, ALL_MULTICAST, SO_ATTACH_FILTER = 263, 1, 2, 26
#: The state of a bridge port that forwards.
FORWARDING = "3"
#: Time limit for forwarding: a bridge with STP forwards after twice its forward delay (15 s).
READY_S = 35.0
#: Time after which an interface counts as having no carrier.
CARRIER_S = 5.0
#: A classic BPF program: UDP to port 68 over IPv4.
DHCP4_ANSWERS = (
    (0x28, 0, 0, 12),  # the EtherType
    (0x15, 0, 5, 0x0800),
    (0x30, 0, 0, 23),  # the protocol
    (0x15, 0, 3, 17),
    (0x28, 0, 0, 36),  # the port that it goes to
    (0x15, 0, 1, 68),
    (0x06, 0, 0, 65535),
    (0x06, 0, 0, 0),
)


class Nic:
    """A NIC on a bridge or on a parent interface."""

    def __init__(self, source: str, kind: str, mode: str) -> None:
        outside = Namespace()
        outside.sweep()
        links = outside.links()
        parent = check(next((link for link in links if link["ifname"] == source), None), kind, links)
        # Locally administered and high, so that the bridge's own address stays the lowest of its ports.
        self.mac = b"\x02" + os.urandom(5)
        self.link_local = b"\xfe\x80" + bytes(6) + b"\0" + self.mac[1:3] + b"\xff\xfe" + self.mac[3:]
        #: A socket on the parent: frames from a server on this machine do not come back to the macvlan.
        self.beside = packet_socket(source, answers_only=True) if kind == "macvlan" else None
        unshare()
        inside = Namespace()
        if kind == "bridge":
            port = plug(outside, parent, mac_text(self.mac))
        else:
            port = ""
            add_macvlan(outside, source, mode, mac_text(self.mac))
        inside.silence(NAME)
        set_up(inside)
        wait_for(lambda: "LOWER_UP" in inside.link(NAME)["flags"], CARRIER_S, "it has no carrier")
        if port:
            forward(outside, port)
        self.socket = packet_socket(NAME)
        membership = struct.pack("=iHH8s", socket.if_nametoindex(NAME), ALL_MULTICAST, 0, b"")
        self.socket.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, membership)

    def send(self, frame: bytes) -> None:
        """Send a frame, unless it is too long for the interface."""
        try:
            self.socket.send(frame.ljust(60, b"\0"))
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS, errno.EAGAIN):
                raise

    def frames(self, deadline: float) -> Iterator[bytes]:
        """Incoming frames until the deadline, and frames from a server on this machine."""
        sockets = [packets for packets in (self.socket, self.beside) if packets is not None]
        while True:
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return
            for packets in select.select(sockets, [], [], remaining_s)[0]:
                frame, sender = packets.recvfrom(65536)
                if (sender[2] == OUTGOING) == (packets is self.beside):
                    yield frame


def mac_text(mac: bytes) -> str:
    """The MAC as text: `52:54:00:…`."""
    return ":".join(f"{octet:02x}" for octet in mac)


def plug(outside: Namespace, bridge: dict[str, Any], mac: str) -> str:
    """Create a veth pair from the bridge to the namespace, and return the name of its port.

    The port gets the bridge's MTU and a high MAC, because a bridge adopts the smallest MTU and the lowest
    MAC of its ports.
    """
    port, mtu = f"{PREFIX}{os.getpid():x}", str(bridge["mtu"])
    its_end = ("peer", "name", NAME, "address", mac, "mtu", mtu, "netns", our_namespace())
    own_end = ("name", port, "address", f"fe{mac[2:]}", "mtu", mtu)
    outside.run("ip", "link", "add", *own_end, "type", "veth", *its_end)
    outside.silence(port)
    outside.run("ip", "link", "set", "dev", port, "master", bridge["ifname"], "up")
    return port


def forward(outside: Namespace, port: str) -> None:
    """Make a bridge's port forward: immediately if permitted, otherwise wait for the bridge."""
    with contextlib.suppress(CommandFailed):  # with STP on, that is the kernel's to say
        outside.run("bridge", "link", "set", "dev", port, "state", FORWARDING)
    wait_for(lambda: port_state(outside, port) == "forwarding", READY_S, "its new port does not forward")


def port_state(outside: Namespace, port: str) -> str:
    """The state of a bridge port."""
    return str(outside.link(port).get("linkinfo", {}).get("info_slave_data", {}).get("state", ""))


def add_macvlan(outside: Namespace, parent: str, mode: str, mac: str) -> None:
    """Create a macvlan on the parent, directly in the namespace."""
    # Mode `private` receives what the owner of a passthru parent would receive, and keeps the parent's MAC.
    own_mode = "private" if mode == "passthru" else mode
    place = ("link", parent, "name", NAME, "address", mac, "netns", our_namespace())
    try:
        outside.run("ip", "link", "add", *place, "type", "macvlan", "mode", own_mode)
    except CommandFailed as error:
        raise AgentError(f"no macvlan can be put on it: {error}") from error


def our_namespace() -> str:
    """The namespace file of this process."""
    return f"/proc/{os.getpid()}/ns/net"


def set_up(inside: Namespace) -> None:
    """Set the NIC up; AgentError if its parent is down."""
    try:
        inside.run("ip", "link", "set", "dev", NAME, "up")
    except CommandFailed as error:
        is_down = str(error) == os.strerror(errno.ENETDOWN)
        raise AgentError("it is down" if is_down else str(error)) from error


def packet_socket(name: str, *, answers_only: bool = False) -> socket.socket:
    """Frames of an interface; `answers_only`: only DHCPv4 answers, of which a busy interface has few."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    if answers_only:
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in DHCP4_ANSWERS)
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("@HP", len(DHCP4_ANSWERS), ctypes.addressof(buffer))
        packets.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    packets.bind((name, ETH_ALL))
    return packets
