"""The connections to all hosts."""

import itertools
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

from hostloom.model.errors.outside import HostRefused
from hostloom.remote.address import LIBVIRT_SOCKETS, SshAddress, ssh_address
from hostloom.remote.command import Local, Shell
from hostloom.remote.directory import SocketDirectory
from hostloom.remote.host import Remote
from hostloom.remote.keys import PinnedKeys

IDLE_S = 300.0


class Remotes:
    """The connections to all hosts, each with its own lock, so that a dead host does not block others."""

    def __init__(self, keys: PinnedKeys, config: Path | None = None) -> None:
        """`config` replaces the user's and the system's ssh_config, for host keys as well."""
        self.keys, self._config = keys, config
        self._directory = SocketDirectory()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._remotes: dict[SshAddress, Remote] = {}
        #: URIs by SSH server, because several sockets of one host share its connection.
        self._users: dict[SshAddress, set[str]] = {}
        self._swept_at = time.monotonic()

    def of(self, address: SshAddress) -> Remote:
        """The connection to an address; its first call opens it."""
        self._sweep()
        with self._lock:
            if address not in self._remotes:
                directory = self._directory.path / str(next(self._numbers))
                directory.mkdir(mode=0o700)
                self._remotes[address] = Remote(address, self.keys, directory, self._config)
            return self._remotes[address]

    def shell(self, uri: str) -> Shell:
        """The machine that runs the commands for a URI; HostRefused if there is none."""
        address = ssh_address(uri)
        if address is not None:
            return self.of(address)
        host = urlsplit(uri).hostname
        if host:
            raise HostRefused(host, "its files and commands are reached over SSH only")
        return Local()

    def libvirt_uri(self, uri: str) -> str:
        """A URI that libvirt can open locally: the host's socket is forwarded; other URIs stay unchanged."""
        address = ssh_address(uri)
        if address is None:
            return uri
        parts = urlsplit(uri)
        driver = parts.scheme.removesuffix("+ssh")
        with self._lock:
            self._users.setdefault(address, set()).add(uri)
        remote = self.of(address)
        if address.socket is None:
            socket = remote.forward_unix(*LIBVIRT_SOCKETS, libvirt=f"{driver}:///system")
        else:
            socket = remote.forward_unix(address.socket)
        return f"{driver}+unix:///system?socket={quote(str(socket))}"

    def read_file(self, uri: str, path: str, limit_bytes: int) -> str:
        """The end of a file on the host of a URI; empty if the file does not exist yet."""
        completed = self.shell(uri).run(["tail", "-c", str(limit_bytes), "--", path], 10)
        return completed.stdout if completed.exit_code == 0 else ""

    def remove_files(self, uri: str, *paths: str) -> None:
        """Remove files on the host of a URI; HostRefused if permission is denied."""
        completed = self.shell(uri).run(["rm", "-f", "--", *paths], 10)
        if completed.exit_code != 0:
            raise HostRefused(urlsplit(uri).hostname or "this machine", completed.stderr.strip())

    def forget(self, uri: str) -> None:
        """Close the connection to a host that is no longer managed, unless another URI of libvirt uses it."""
        address = ssh_address(uri)
        if address is None:
            return
        with self._lock:
            users = self._users.get(address, set())
            users.discard(uri)
            remote = None if users else self._remotes.pop(address, None)
        if remote is not None:
            remote.close()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            remotes, self._remotes = list(self._remotes.values()), {}
        for remote in remotes:
            remote.close()
        self._directory.close()

    def _sweep(self) -> None:
        """Close idle connections periodically."""
        with self._lock:
            if time.monotonic() - self._swept_at < IDLE_S / 5:
                return
            self._swept_at = time.monotonic()
            remotes = list(self._remotes.values())
        for remote in remotes:
            remote.close_if_idle(IDLE_S)
