"""Connections: deadlines for slow clients, limits of their number, and the peers of Unix sockets."""

import asyncio
import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from hostloom.model.access import LOCAL_ADMIN, Principal

#: A request must be whole this long after its first byte, or after the connection was made; a body has a
#: second more for every so many bytes that arrive.
REQUEST_TIMEOUT_S = 15.0
LEAST_BYTES_PER_S = 32 * 1024
#: A client that reads nothing of an answer for this long is disconnected.
STALL_TIMEOUT_S = 30.0
#: The part of an IPv6 address that one machine can choose freely.
IPV6_PREFIX = 64
#: Key of the scope; requests cannot set it.
SCOPE_KEY = "hostloom.peer"
#: struct ucred of unix(7): pid, uid, gid.
_UCRED = struct.Struct("3i")

_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: 22\r\n\r\ntoo many connections\r\n"
)


@dataclass
class Crowd:
    """The connections of one server, limited in total and per address."""

    most: int
    most_of_one: int
    _by_owner: dict[str, dict["TimeoutProtocol", None]] = field(default_factory=dict)

    def admit(self, connection: "TimeoutProtocol", owner: str) -> bool:
        """Whether a connection is accepted; at the limit, the address with most connections may lose one."""
        of_owner = self._by_owner.setdefault(owner, {})
        if len(of_owner) >= self.most_of_one or (self.count >= self.most and not self._make_room(of_owner)):
            if not of_owner:
                del self._by_owner[owner]
            return False
        of_owner[connection] = None
        return True

    def leave(self, connection: "TimeoutProtocol", owner: str) -> None:
        """Forget a connection that ended; a connection that was not accepted is ignored."""
        of_owner = self._by_owner.get(owner, {})
        of_owner.pop(connection, None)
        if not of_owner:
            self._by_owner.pop(owner, None)

    @property
    def count(self) -> int:
        """The number of open connections."""
        return sum(len(connections) for connections in self._by_owner.values())

    def _make_room(self, of_owner: dict["TimeoutProtocol", None]) -> bool:
        """End the oldest idle connection of the address with most connections, if that is fairer."""
        greatest = max(self._by_owner.values(), key=len)
        if len(greatest) <= len(of_owner) + 1:
            return False
        victim = next((connection for connection in greatest if connection.is_waiting), None)
        if victim is None:
            return False
        del greatest[victim]
        victim.transport.abort()
        return True


def owner_of(address: str) -> str:
    """The key under which a client's connections are counted; an IPv6 prefix is one client."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed)


class TimeoutProtocol(H11Protocol):
    """HTTP/1.1 with deadlines; between requests uvicorn's own timeout applies."""

    request_timeout_s = REQUEST_TIMEOUT_S
    stall_timeout_s = STALL_TIMEOUT_S
    least_bytes_per_s = LEAST_BYTES_PER_S
    #: Shared by the connections of a server; None: without limits.
    crowd: Crowd | None = None
    _owner = ""
    _is_refused = False
    _request_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _began_at = 0.0
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start the deadline for the first request."""
        self._owner = self.owner(transport)
        if self.crowd is not None and not self.crowd.admit(self, self._owner):
            self._is_refused = True
            self.transport = transport
            transport.write(_TOO_MANY)
            transport.close()
            return
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        if self._is_refused:
            return
        if self.crowd is not None:
            self.crowd.leave(self, self._owner)
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process data; a complete request has no deadline."""
        if self._is_refused:
            return
        self._received += len(data)
        super().data_received(data)
        if self.is_waiting:
            self._await_request()
        elif self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    @property
    def is_waiting(self) -> bool:
        """Whether the connection has no complete request that is still to be answered."""
        cycle: RequestResponseCycle | None = self.cycle  # None until the head of a request is complete
        return cycle is None or cycle.response_complete or cycle.more_body

    def owner(self, transport: asyncio.Transport) -> str:
        """The key under which this connection is counted."""
        peer: Any = transport.get_extra_info("peername")
        return owner_of(str(peer[0])) if isinstance(peer, tuple) else ""

    def send_400_response(self, msg: str) -> None:
        """Refuse invalid HTTP; an answer that the application has begun is dropped."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.abort()  # part of an answer has been sent, so no other answer can follow
                return
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        """Start the deadline for a client that does not read."""
        super().pause_writing()
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self.stall_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again: cancel its deadline."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def _await_request(self) -> None:
        if self._request_timer is None and not self.transport.is_closing():
            self._began_at, self._received = self.loop.time(), 0
            self._request_timer = self.loop.call_later(self.request_timeout_s, self._judge)

    def _judge(self) -> None:
        """End a connection if too little of its request has arrived by now."""
        allowed_s = self.request_timeout_s + self._received / self.least_bytes_per_s
        left_s = self._began_at + allowed_s - self.loop.time()
        if left_s <= 0.001:
            self._request_timer = None
            self.transport.abort()
        else:
            self._request_timer = self.loop.call_later(left_s, self._judge)

    def _stop_timers(self) -> None:
        for timer in (self._request_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()


def limited(protocol: type[TimeoutProtocol], crowd: Crowd) -> type[TimeoutProtocol]:
    """The protocol class for one server; `crowd` limits its connections."""
    return type(protocol.__name__, (protocol,), {"crowd": crowd})


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a Unix socket."""

    uid: int
    gid: int


class PeerProtocol(TimeoutProtocol):
    """HTTP/1.1 that tells the application who connected through a Unix socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Read the peer's credentials once, when the connection is made."""
        peer = _peer_of(transport.get_extra_info("socket"))
        if peer is not None:
            application = self.app

            async def with_peer(scope: Any, receive: Any, send: Any) -> None:
                await application({**scope, SCOPE_KEY: peer}, receive, send)

            self.app = with_peer
        super().connection_made(transport)

    def owner(self, transport: asyncio.Transport) -> str:
        """The user on the Unix socket, else the address."""
        peer = _peer_of(transport.get_extra_info("socket"))
        return super().owner(transport) if peer is None else f"uid {peer.uid}"


def _peer_of(connection: Any) -> Peer | None:
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    _, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Peer(uid, gid)


def principal_of_peer(peer: Peer, admin_group: str) -> Principal | None:
    """An administrator for root, the server's own user and members of the group; None for others."""
    if peer.uid == 0:
        return LOCAL_ADMIN
    try:
        user = pwd.getpwuid(peer.uid)
    except KeyError:
        return Principal(f"uid {peer.uid}", admin=True) if peer.uid == os.geteuid() else None
    if peer.uid == os.geteuid() or _is_member(user, admin_group):
        return Principal(user.pw_name, admin=True)
    return None


def _is_member(user: pwd.struct_passwd, group: str) -> bool:
    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        return False
    return gid in os.getgrouplist(user.pw_name, user.pw_gid)
