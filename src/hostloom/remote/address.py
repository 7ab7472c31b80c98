"""Where a libvirt URI leads over SSH."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from hostloom.model.errors import InvalidValue

DEFAULT_SOCKET = "/run/libvirt/libvirt-sock"


@dataclass(frozen=True)
class SshAddress:
    """User, host and port of a `qemu+ssh://` URI, and libvirt's socket there."""

    host: str
    user: str | None = None
    port: int | None = None
    #: Private key file, from `?keyfile=`.
    keyfile: str | None = None
    socket: str = DEFAULT_SOCKET

    @property
    def destination(self) -> str:
        """What ssh is given: `user@host`."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def known_hosts_name(self) -> str:
        """How a known-hosts file names it: `[host]:port` off the standard port."""
        return f"[{self.host}]:{self.port}" if self.port not in (None, 22) else self.host


def ssh_address(uri: str) -> SshAddress | None:
    """The SSH part of a URI; None for URIs without SSH, InvalidValue for one that cannot be read."""
    parts = urlsplit(uri)
    if not parts.scheme.endswith("+ssh"):
        return None
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidValue("uri", uri, "a libvirt URI with a port from 1 to 65535") from error
    if not host or host.startswith("-"):
        raise InvalidValue("uri", uri, "a libvirt URI with a host")
    user = unquote(parts.username) if parts.username else None
    if user is not None and user.startswith("-"):
        raise InvalidValue("uri", uri, "a libvirt URI whose user is a name")
    query = parse_qs(parts.query)
    return SshAddress(
        host,
        user,
        port,
        query.get("keyfile", [None])[0],
        query.get("socket", [DEFAULT_SOCKET])[0] or DEFAULT_SOCKET,
    )
