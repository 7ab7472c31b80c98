"""Sends router advertisements on a rack's interfaces, periodically and on solicitations (RFC 4861)."""

import logging
import random
import selectors
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hostloom.model.router_advert import RouterAdvert

log = logging.getLogger(__name__)

ALL_ROUTERS, ALL_NODES = "ff02::2", "ff02::1"
SOLICITATION, ADVERTISEMENT = 133, 134
PREFIX, MTU = 3, 5
MANAGED, OTHER, ON_LINK = 0x80, 0x40, 0x80
HOP_LIMIT = 64
#: RFC 4861, 6.2.1: MinRtrAdvInterval and MaxRtrAdvInterval; 3 s between two of one interface.
EVERY_S = (200.0, 600.0)
AT_LEAST_S = 3.0
#: Lifetime after which clients forget a prefix that is no longer advertised.
VALID_S, PREFERRED_S = 3600, 1800
LOOK_EVERY_S = 1.0


def packet(advert: RouterAdvert) -> bytes:
    """The ICMPv6 message; the kernel fills in the checksum."""
    flags = MANAGED | OTHER if advert.managed else 0
    head = struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, HOP_LIMIT, flags, advert.router_lifetime_s, 0, 0)
    mtu = struct.pack("!BBHI", MTU, 1, 0, advert.mtu)
    prefixes = (
        struct.pack("!BBBBIII", PREFIX, 4, prefix.prefixlen, ON_LINK, VALID_S, PREFERRED_S, 0)
        + prefix.network_address.packed
        for prefix in advert.prefixes
    )
    return head + mtu + b"".join(prefixes)


@dataclass
class _Open:
    """An open interface."""

    socket: socket.socket
    index: int
    packet: bytes
    next_at: float
    sent_at: float = 0.0


class LinuxRouterAdvertiser:
    """Advertises in its own thread; an interface that is missing is opened when it appears."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, bytes] = {}
        self._open: dict[str, _Open] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="advertiser", daemon=True)

    def start(self) -> None:
        """Start the thread; it sends nothing before `advertise`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sending."""
        self._stopping.set()
        self._thread.join(5)

    def advertise(self, adverts: Sequence[RouterAdvert]) -> None:
        """Advertise exactly these prefixes from now on."""
        with self._lock:
            self._wanted = {advert.interface: packet(advert) for advert in adverts}

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._keep_up()
            for key, _ in self._selector.select(LOOK_EVERY_S) if self._open else ():
                self._hear(self._open[key.data])
            if not self._open:
                self._stopping.wait(LOOK_EVERY_S)
        for name in tuple(self._open):
            self._close(name)
        self._selector.close()

    def _keep_up(self) -> None:
        with self._lock:
            packets = dict(self._wanted)
        for name in self._open.keys() - packets.keys():
            self._close(name)
        for name, content in packets.items():
            opened = self._open.get(name)
            if opened is not None and _index(name) != opened.index:
                self._close(name)
                opened = None
            if opened is None:
                self._try_open(name, content)
            elif opened.packet != content:
                opened.packet, opened.next_at = content, 0.0
        for opened in self._open.values():
            if time.monotonic() >= opened.next_at:
                self._send(opened)

    def _try_open(self, name: str, content: bytes) -> None:
        index = _index(name)
        if index is None:
            return
        try:
            raw = _listen(name, index)
        except OSError as error:
            if name not in self._told:
                log.warning("no router advertisements on %s: %s", name, error)
            self._told.add(name)
            return
        self._told.discard(name)
        self._open[name] = _Open(raw, index, content, 0.0)
        self._selector.register(raw, selectors.EVENT_READ, name)

    def _close(self, name: str) -> None:
        opened = self._open.pop(name)
        self._selector.unregister(opened.socket)
        opened.socket.close()

    def _hear(self, opened: _Open) -> None:
        try:
            received = opened.socket.recv(2048)
        except OSError:
            return
        if received[:1] == bytes([SOLICITATION]):
            self._send(opened, solicited=True)

    def _send(self, opened: _Open, *, solicited: bool = False) -> None:
        """Answer a solicitation immediately and to all nodes, because booting firmware waits for it."""
        now_s = time.monotonic()
        if not solicited and now_s - opened.sent_at < AT_LEAST_S:
            return
        opened.next_at = now_s + random.uniform(*EVERY_S)  # noqa: S311  (jitter, no secret)
        try:
            opened.socket.sendto(opened.packet, (ALL_NODES, 0, 0, opened.index))
            opened.sent_at = now_s
        except OSError:
            # The interface has no link-local address or no carrier yet: retry soon.
            opened.next_at = now_s + AT_LEAST_S


def _listen(name: str, index: int) -> socket.socket:
    """A raw ICMPv6 socket on one interface that receives packets to all routers."""
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        group = socket.inet_pton(socket.AF_INET6, ALL_ROUTERS) + struct.pack("@I", index)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        raw.setblocking(False)
    except OSError:
        raw.close()
        raise
    return raw


def _index(name: str) -> int | None:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None
