"""Parses libvirt URIs to find their SSH server."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from hostloom.model.errors.values import InvalidValue

#: Sockets of libvirt: the monolithic daemon or its proxy, then QEMU's modular daemon.
LIBVIRT_SOCKETS = ("/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock")

# Both end up on ssh's command line and, through ProxyCommand in ssh_config, in a shell.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]*\$?")
#: The URI parameters that apply to hostloom's SSH connection.
_PARAMETERS = frozenset({"keyfile", "socket"})


@dataclass(frozen=True)
class SshAddress:
    """User, host and port of a `qemu+ssh://` URI, and libvirt's socket there."""

    host: str
    user: str | None = None
    port: int | None = None
    #: Private key file from `?keyfile=`; None: use ssh's configuration and agent.
    keyfile: str | None = None
    #: From `?socket=`; None: one of LIBVIRT_SOCKETS. Not compared, because two sockets of one host share
    #: its connection.
    socket: str | None = field(default=None, compare=False)

    @property
    def destination(self) -> str:
        """Destination argument of ssh: `user@host`."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def known_hosts_name(self) -> str:
        """Name in a known-hosts file: `[host]:port` unless the port is 22."""
        return f"[{self.host}]:{self.port}" if self.port not in (None, 22) else self.host


def ssh_address(uri: str) -> SshAddress | None:
    """The SSH part of a URI; None for URIs without SSH, InvalidValue for an invalid one."""
    parts = urlsplit(uri)
    if not parts.scheme.endswith("+ssh"):
        return None
    if parts.password is not None:
        bare = uri.replace(f":{parts.password}@", ":***@")
        raise InvalidValue("uri", bare, "contains a password", "remove it and use a key file or ssh-agent")
    query = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(set(query) - _PARAMETERS):
        raise InvalidValue(
            "uri", uri, f"has the unknown parameter `{unknown[0]}`", "use only keyfile and socket"
        )
    return SshAddress(
        _host(uri, parts),
        _user(uri, parts),
        _port(uri, parts),
        _absolute(uri, query, "keyfile"),
        _absolute(uri, query, "socket"),
    )


def is_this_machine(uri: str) -> bool:
    """Whether the URI certainly leads to the hypervisor of this machine.

    False for a named socket, which may lead into a container or through a tunnel.
    """
    parts = urlsplit(uri)
    return (
        parts.scheme in ("qemu", "qemu+unix") and not parts.netloc and "socket" not in parse_qs(parts.query)
    )


def _host(uri: str, parts: SplitResult) -> str:
    host = unquote(parts.hostname or "")
    if not _HOST.fullmatch(host):
        raise InvalidValue("uri", uri, "has no valid host", "give a host name or an address")
    # An IPv6 address has several spellings, but a key is pinned for one of them.
    return str(ip_address(host)) if ":" in host else host


def _user(uri: str, parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    user = unquote(parts.username)
    if not _USER.fullmatch(user):
        raise InvalidValue("uri", uri, "has an invalid user", "give a login name")
    return user


def _port(uri: str, parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError as error:
        raise _wrong_port(uri) from error
    if port == 0:
        raise _wrong_port(uri)
    return port


def _wrong_port(uri: str) -> InvalidValue:
    return InvalidValue("uri", uri, "has an invalid port", "use 1 to 65535")


def _absolute(uri: str, query: dict[str, list[str]], name: str) -> str | None:
    values = query.get(name)
    if values is None:
        return None
    if len(values) > 1 or not values[0].startswith("/"):
        raise InvalidValue("uri", uri, f"has an invalid `{name}`", "give one absolute path")
    return values[0]
