"""A read-only TFTP server for the first hop: firmware loads iPXE, which loads the rest over HTTP.

It serves a fixed table of names; text from a client is never used as a path.
"""

import logging
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hostloom.boot.tftp_packets import (
    ErrorCode,
    ReadRequest,
    RefusedRequest,
    Transfer,
    parse_request,
)
from hostloom.model.errors.server import ConfigError
from hostloom.quotas import Quota

log = logging.getLogger(__name__)

#: Limits of simultaneous transfers in total and per address; clients above them have to retry.
MAX_TRANSFERS = 64
MAX_OF_ONE = 4
#: Interval between retransmissions of an unacknowledged packet, in seconds.
RESENDS = 5
#: The same before the client's first acknowledgement, because its address may be forged.
UNPROVEN_RESENDS = 2
#: Minimum interval between answers to a repeated request, in seconds.
LEAST_RESEND_S = 0.25
#: Limit of requests per address: firmware sends a few, then retries after seconds.
REQUESTS_BURST, REQUESTS_PER_S = 16, 0.5
MAX_LIFE_S = 120.0
#: No loader is longer; the limit protects the memory.
MAX_FILE_BYTES = 16 * 2**20
_TICK_S = 0.25
#: struct in6_pktinfo of ipv6(7): destination address and receiving interface of a packet.
_PKTINFO = struct.Struct("16sI")
#: An address in the form of the socket module.
Peer = tuple[Any, ...]


@dataclass
class _Sending:
    transfer: Transfer
    socket: socket.socket
    peer: Peer
    ends_at: float
    #: The request packet as received.
    request: bytes = b""
    resend_at: float = 0.0
    sent_at: float = 0.0
    resends_left: int = UNPROVEN_RESENDS
    #: Whether the client has acknowledged a packet, which proves its address.
    is_proven: bool = False


@dataclass
class TftpServer:
    """Serves in its own thread on every address of this machine, over IPv4 and IPv6.

    ConfigError if the port is in use; PermissionError if only root may use it.
    """

    files: Mapping[str, Path]
    port: int = 69
    #: Whether an address belongs to a served network; other clients get no answer.
    serves: Callable[[str], bool] = lambda _: True
    quota: Quota = field(default_factory=lambda: Quota(REQUESTS_BURST, REQUESTS_PER_S))
    _sendings: dict[Peer, _Sending] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tftp", daemon=True)
        self._listener = _listener(self.port)
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    @property
    def transfers(self) -> int:
        """Number of running transfers."""
        return len(self._sendings)

    def stop(self) -> None:
        """Stop; running transfers are aborted."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(5)
        for sending in list(self._sendings.values()):
            self._end(sending)
        self._listener.close()
        self._selector.close()

    # -- the loop ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception:  # a thread that dies would leave firmware without an answer
                log.exception("tftp")
                self._stopping.wait(1.0)

    def _turn(self) -> None:
        for key, _ in self._selector.select(_TICK_S):
            if key.data is None:
                self._take_request()
            elif key.data.peer in self._sendings:
                self._take_packet(key.data)
        now_s = time.monotonic()
        for sending in [sending for sending in self._sendings.values() if sending.resend_at <= now_s]:
            self._resend(sending, now_s)

    def _take_request(self) -> None:
        try:
            packet, control, _, peer = self._listener.recvmsg(2048, socket.CMSG_SPACE(_PKTINFO.size))
        except OSError:  # taken back by the kernel, as one with a wrong checksum is
            return
        if not self.serves(_shown(peer)):
            return
        if (sending := self._sendings.get(peer)) is not None:
            self._repeat(sending, packet)
            return
        local = _local_address(control)
        try:
            request = parse_request(packet)
            if request is None or not self.quota.take(_shown(peer)) or self._is_full(peer):
                return
            self._begin(Transfer(self._content(request), request), packet, local, peer)
        except RefusedRequest as refused:
            log.info("tftp: %s is refused: %s", _shown(peer), refused)
            self._refuse(refused, local, peer)

    def _repeat(self, sending: _Sending, packet: bytes) -> None:
        """Answer a repeated request again, because the answer was lost; ignore other packets."""
        if sending.is_proven or packet != sending.request or sending.resends_left <= 0:
            return
        if time.monotonic() - sending.sent_at >= LEAST_RESEND_S:
            sending.resends_left -= 1
            self._send(sending)

    def _is_full(self, peer: Peer) -> bool:
        """Whether the limits are reached; a transfer without any acknowledgement is ended to make room."""
        of_one = sum(sending.peer[0] == peer[0] for sending in self._sendings.values())
        if of_one >= MAX_OF_ONE:
            return True
        if len(self._sendings) < MAX_TRANSFERS:
            return False
        oldest = next((sending for sending in self._sendings.values() if not sending.is_proven), None)
        if oldest is not None:
            self._end(oldest)
        return oldest is None

    def _content(self, request: ReadRequest) -> bytes:
        """The file by its name in the table, also with the leading slash that some firmware adds."""
        path = self.files.get(request.name.removeprefix("/"))
        if path is None:
            raise RefusedRequest(ErrorCode.NOT_FOUND, "there is no such boot file")
        try:
            with path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            log.warning("tftp: %s cannot be read: %s (the package ipxe has it)", path, error)
            raise RefusedRequest(ErrorCode.NOT_FOUND, "this boot file is not installed") from error
        if len(content) > MAX_FILE_BYTES:
            raise RefusedRequest(ErrorCode.NOT_DEFINED, "this boot file is too long")
        return content

    # -- transfers ---------------------------------------------------------------------------------------

    def _begin(self, transfer: Transfer, packet: bytes, local: Peer, peer: Peer) -> None:
        sending = _Sending(transfer, _reply_socket(local, peer), peer, time.monotonic() + MAX_LIFE_S, packet)
        self._sendings[peer] = sending
        self._selector.register(sending.socket, selectors.EVENT_READ, sending)
        log.info("tftp: %s to %s", transfer.request.name, _shown(peer))
        self._send(sending)

    def _take_packet(self, sending: _Sending) -> None:
        try:
            packet = sending.socket.recv(2048)
        except OSError:  # the client has closed its port
            self._end(sending)
            return
        if sending.transfer.take(packet):
            sending.resends_left, sending.is_proven = RESENDS, True
            self._send(sending)
        elif sending.transfer.is_over:
            self._end(sending)

    def _send(self, sending: _Sending) -> None:
        sending.sent_at = time.monotonic()
        sending.resend_at = sending.sent_at + sending.transfer.timeout_s
        try:
            sending.socket.send(sending.transfer.packet)
        except BlockingIOError:
            return  # it is sent again
        except OSError:
            self._end(sending)

    def _resend(self, sending: _Sending, now_s: float) -> None:
        sending.resends_left -= 1
        if sending.resends_left < 0 or now_s > sending.ends_at:
            log.info("tftp: %s answers no more", _shown(sending.peer))
            self._end(sending)
        else:
            self._send(sending)

    def _end(self, sending: _Sending) -> None:
        del self._sendings[sending.peer]
        self._selector.unregister(sending.socket)
        sending.socket.close()

    def _refuse(self, refused: RefusedRequest, local: Peer, peer: Peer) -> None:
        with suppress(OSError, RefusedRequest), _reply_socket(local, peer) as reply:
            reply.send(refused.packet)


def _listener(port: int) -> socket.socket:
    """A socket for both families if the machine has both."""
    has_both = socket.has_dualstack_ipv6()
    udp_socket = socket.socket(socket.AF_INET6 if has_both else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if has_both:
            udp_socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            udp_socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        udp_socket.bind(("", port))
    except PermissionError:
        udp_socket.close()
        raise
    except OSError as error:
        udp_socket.close()
        raise ConfigError("tftp_port", port, f"cannot be opened: {error.strerror}") from error
    udp_socket.setblocking(False)
    return udp_socket


def _local_address(control: list[tuple[int, int, bytes]]) -> Peer:
    """The address that the client used: firmware accepts answers only from that address."""
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            address, interface = _PKTINFO.unpack(data[: _PKTINFO.size])
            text = socket.inet_ntop(socket.AF_INET6, address)
            return (text, 0, 0, interface if text.startswith("fe80") else 0)
    return ("", 0)


def _reply_socket(local: Peer, peer: Peer) -> socket.socket:
    """A separate port for each transfer, as RFC 1350 demands, connected to the client."""
    udp_socket = socket.socket(socket.AF_INET6 if len(peer) == 4 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if len(peer) == 4:
            udp_socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp_socket.bind(local)
        udp_socket.connect(peer)
    except OSError as error:
        udp_socket.close()
        raise RefusedRequest(ErrorCode.NOT_DEFINED, "this address is not answered") from error
    udp_socket.setblocking(False)
    return udp_socket


def _shown(peer: Peer) -> str:
    return str(peer[0]).removeprefix("::ffff:")
