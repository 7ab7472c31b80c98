"""Control channels of Kea servers: a Unix socket here or over SSH, or Kea's control agent over HTTP."""

import stat
import time
from collections.abc import Collection
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from hostloom.dhcp.control import ANSWER_BYTES, CHUNK_BYTES, Control, ControlSocket
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.errors.values import InvalidValue
from hostloom.remote.address import SshAddress, ssh_address
from hostloom.remote.connection import Remotes

FORMS = "unix:/PATH, ssh://USER@HOST/PATH or http(s)://HOST:PORT/"


def open_channel(
    field: str,
    text: str,
    version: int,
    remotes: Remotes,
    password: Path,
    folders: Collection[Path] | None = None,
) -> Control:
    """The channel that `text` names; InvalidValue naming `field`. Nothing is connected yet.

    `password` is the file of the agent's password, for a URL with a user. A socket on this machine must be
    directly in one of the `folders`; None: anywhere.
    """
    parts = urlsplit(text)
    match parts.scheme:
        case "unix" if not parts.netloc and parts.path.startswith("/"):
            return ControlSocket(_in_folders(field, Path(unquote(parts.path)), folders))
        case "ssh" if parts.hostname and parts.path.startswith("/"):
            return _over_ssh(field, text, parts, remotes)
        case "http" | "https" if parts.hostname:
            return ControlAgent(_agent_url(field, text, parts), version, parts.username, password)
    raise _not_a_channel(field, text)


def _not_a_channel(field: str, text: str) -> InvalidValue:
    return InvalidValue(field, text, "is not a control channel", f"write {FORMS}")


def _in_folders(field: str, path: Path, folders: Collection[Path] | None) -> Path:
    """Accept only Kea's sockets, so that a request cannot connect the server to other programs."""
    if folders is not None and path.parent not in folders:
        allowed = ", ".join(str(folder) for folder in sorted(folders))
        raise InvalidValue(
            field,
            f"unix:{path}",
            "is not in a folder for Kea's sockets",
            f"use a socket in {allowed}, or change the setting kea_socket_dirs",
        )
    return path


def check_channel(field: str, text: str) -> None:
    """Raise InvalidValue for a channel with a password in it."""
    parts = urlsplit(text)
    if parts.password is not None:
        hidden = text.replace(f":{parts.password}@", ":***@")
        raise InvalidValue(
            field, hidden, "contains a password", "remove the password, which the server reads from a file"
        )


def _over_ssh(field: str, text: str, parts: SplitResult, remotes: Remotes) -> Control:
    check_channel(field, text)
    try:
        address = ssh_address(text.replace("ssh://", "qemu+ssh://", 1).replace(parts.path, "/system", 1))
    except InvalidValue as error:
        raise _not_a_channel(field, text) from error
    if address is None or parts.query:
        raise _not_a_channel(field, text)
    return ControlSocket(_Forwarded(remotes, address, unquote(parts.path)))


def _agent_url(field: str, text: str, parts: SplitResult) -> str:
    check_channel(field, text)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _not_a_channel(field, text)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise _not_a_channel(field, text) from error
    return f"{parts.scheme}://{host}{port}/"


class _Forwarded:
    """A socket on another machine as a local path; the connection is opened when it is needed."""

    def __init__(self, remotes: Remotes, address: SshAddress, path: str) -> None:
        self._remotes, self._address, self._path = remotes, address, path

    def __str__(self) -> str:
        return f"{self._path} on {self._address.destination}"

    def __call__(self, timeout_s: float) -> Path:
        try:
            return self._remotes.of(self._address).forward_unix(self._path, timeout_s=timeout_s)
        except DriverError as error:
            raise DhcpUnreachable(str(error)) from error


class ControlAgent(Control):
    """Kea's control agent: one POST for each command, with the name of the server."""

    def __init__(self, url: str, version: int, user: str | None, password: Path) -> None:
        super().__init__()
        self._url, self._service, self._user, self._password = url, f"dhcp{version}", user, password

    def exchange(self, request: bytes, timeout_s: float) -> bytes:
        """The body of the answer; DhcpUnreachable, or DhcpRejected if the agent denies access."""
        auth = None if self._user is None else (self._user, _read_password(self._password))
        headers = {"Content-Type": "application/json"}
        try:
            with httpx.stream(
                "POST", self._url, content=request, headers=headers, auth=auth, timeout=timeout_s
            ) as response:
                if response.status_code in (401, 403):
                    raise DhcpRejected(f"{self._url}: access denied for user {self._user or '(none)'}")
                if response.status_code != httpx.codes.OK:
                    raise DhcpUnreachable(f"{self._url}: HTTP {response.status_code}")
                return self._whole(response, timeout_s)
        except httpx.HTTPError as error:
            raise DhcpUnreachable(f"{self._url}: {str(error) or type(error).__name__}") from error

    def _whole(self, response: httpx.Response, timeout_s: float) -> bytes:
        """The whole body within the timeout; httpx only limits the wait for each chunk."""
        deadline, received = time.monotonic() + timeout_s, bytearray()
        for chunk in response.iter_bytes(CHUNK_BYTES):
            received += chunk
            if len(received) > ANSWER_BYTES:
                raise DhcpUnreachable(f"{self}: the answer is longer than {ANSWER_BYTES} bytes")
            if time.monotonic() > deadline:
                raise DhcpUnreachable(f"{self}: no whole answer within {timeout_s:g} s")
        return bytes(received)

    def envelope(self, command: dict[str, object]) -> dict[str, object]:
        """The command with the name of its server."""
        return command | {"service": [self._service]}

    def __str__(self) -> str:
        return self._url


def _read_password(file: Path) -> str:
    """DhcpUnreachable if the file does not exist or others can read it."""
    try:
        mode = file.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise DhcpUnreachable(f"{file}: others may read this password: `chmod 600 {file}`")
        return file.read_text().strip()
    except OSError as error:
        raise DhcpUnreachable(f"{file}: the channel's password cannot be read ({error.strerror})") from error
