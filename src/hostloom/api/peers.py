"""Who is at the other end of a Unix socket: its credentials, put into the ASGI scope by the server itself."""

import asyncio
import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from typing import Any

from hostloom.http_limits import TimeoutProtocol
from hostloom.model.access import LOCAL_ADMIN, Principal

#: Key of the scope; requests cannot set it.
SCOPE_KEY = "hostloom.peer"
#: struct ucred of unix(7): pid, uid, gid.
_UCRED = struct.Struct("3i")


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
        """Over the Unix socket by user, else by address."""
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
