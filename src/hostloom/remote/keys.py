"""Fetches, pins and compares SSH host keys."""

import base64
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hostloom.model.errors.outside import HostUnreachable
from hostloom.ports.hosts import OfferedKey
from hostloom.ports.store import Store
from hostloom.remote.address import SshAddress, ssh_address
from hostloom.remote.command import run_process
from hostloom.remote.ssh import SshCall, as_option, cause

SCAN_TIMEOUT_S = 5
#: A known-hosts file without keys, for calls that only fetch keys.
NO_KNOWN_HOSTS = Path("/dev/null")
#: Strongest first, in the order that ssh offers.
_ORDER = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
#: The fields of `ssh -G` that affect the connection to the SSH server.
_WHERE = frozenset({"hostname", "port", "proxyjump", "proxycommand"})


def parse_line(line: str) -> OfferedKey | None:
    """A line of a known-hosts file or of ssh-keyscan; None for comments and invalid lines."""
    fields = line.split()
    if len(fields) < 3 or line.startswith("#"):
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except ValueError:
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return OfferedKey(fields[1], f"SHA256:{digest}", " ".join(fields[:3]))


def _parse(text: str) -> list[OfferedKey]:
    return [key for key in map(parse_line, text.splitlines()) if key is not None]


class PinnedKeys:
    """The pinned keys, one per SSH server, in the store that all servers share."""

    def __init__(self, store: Store, config: Path | None = None) -> None:
        """`config` replaces the user's ssh_config."""
        #: Also of other servers.
        self.store, self._config = store, config

    def offered(self, uri: str) -> Sequence[OfferedKey]:
        """Fetch the host's keys, the strongest first."""
        address = ssh_address(uri)
        return () if address is None else self.scan(address)

    def scan(self, address: SshAddress) -> Sequence[OfferedKey]:
        """The host's keys, the strongest first, without a login; HostUnreachable if it presents none."""
        where = self._resolve(address)
        if where.keys() & {"proxyjump", "proxycommand"}:
            keys, errors = self._ask_through_proxy(address)
        else:
            argv = ["ssh-keyscan", "-T", str(SCAN_TIMEOUT_S), "-p", where["port"], "--", where["hostname"]]
            completed = run_process(argv, SCAN_TIMEOUT_S * 4, address.host, "ssh-keyscan")
            keys, errors = _parse(completed.stdout), completed.stderr
        if not keys:
            messages = "\n".join(line for line in errors.splitlines() if not line.startswith("#"))
            # If no server listens on the port, ssh-keyscan prints nothing.
            silence = f"no SSH server presents a key on its port {where['port']}"
            raise HostUnreachable(address.host, cause(messages) if messages else silence)
        return sorted(keys, key=lambda key: (_ORDER.index(key.kind) if key.kind in _ORDER else 9, key.kind))

    def _resolve(self, address: SshAddress) -> dict[str, str]:
        """Destination in ssh's configuration (HostName, Port, ProxyJump), which ssh-keyscan ignores."""
        argv = [*SshCall(address, NO_KNOWN_HOSTS, self._config).start(), "-G", "--", address.destination]
        completed = run_process(argv, SCAN_TIMEOUT_S, address.host, "ssh -G")
        if completed.exit_code != 0:
            raise HostUnreachable(address.host, cause(completed.stderr))
        settings = (line.partition(" ") for line in completed.stdout.splitlines())
        return {name: value for name, _, value in settings if name in _WHERE}

    def _ask_through_proxy(self, address: SshAddress) -> tuple[list[OfferedKey], str]:
        """Let ssh record the key in its key exchange, and stop before the login."""
        with tempfile.TemporaryDirectory(prefix="hostloom-") as directory:
            path = Path(directory) / "known_hosts"
            options = {
                "ControlPath": "none",
                "PreferredAuthentications": "none",
                "StrictHostKeyChecking": "accept-new",
                "UserKnownHostsFile": as_option(path),
            }
            argv = SshCall(address, NO_KNOWN_HOSTS, self._config).argv(options, "true")
            completed = run_process(argv, SCAN_TIMEOUT_S * 4, address.host, "ssh")
            return (_parse(path.read_text()) if path.exists() else []), completed.stderr

    def pin(self, uri: str, key: OfferedKey) -> None:
        """Trust only this key."""
        address = ssh_address(uri)
        if address is not None:
            _, kind, blob = key.line.split()[:3]
            line = f"{address.known_hosts_name} {kind} {blob}"
            with self.store.begin() as uow:
                uow.ssh_keys.pin(uri, address.known_hosts_name, replace(key, line=line))
                uow.commit()

    def pinned(self, uri: str) -> str | None:
        """Fingerprint of the pinned key."""
        address = ssh_address(uri)
        key = None if address is None else self.find(address)
        return None if key is None else key.fingerprint

    def find(self, address: SshAddress) -> OfferedKey | None:
        """The pinned key of an address."""
        with self.store.begin() as uow:
            return uow.ssh_keys.find(address.known_hosts_name)

    def retain(self, uri: str) -> None:
        """Keep the key of the URI's address pinned for as long as this URI needs it."""
        address = ssh_address(uri)
        if address is not None:
            with self.store.begin() as uow:
                key = uow.ssh_keys.find(address.known_hosts_name)
                if key is not None:
                    uow.ssh_keys.pin(uri, address.known_hosts_name, key)
                    uow.commit()

    def release(self, uri: str) -> None:
        """Release the key for this URI; it stays pinned while another URI needs it."""
        with self.store.begin() as uow:
            uow.ssh_keys.release(uri)
            uow.commit()

    def forget(self, uri: str) -> None:
        """Remove the pinned key of the URI's address for all URIs."""
        address = ssh_address(uri)
        if address is not None:
            with self.store.begin() as uow:
                uow.ssh_keys.forget(address.known_hosts_name)
                uow.commit()


def import_known_hosts(keys: PinnedKeys, file: Path, read_uris: Callable[[], Sequence[str]]) -> None:
    """Import the keys that an earlier version pinned in one file per server.

    The file is renamed afterwards, so that only the first start reads it and the URIs of hosts and racks.
    """
    if not file.exists():
        return
    by_server = {line.split()[0]: key for line in file.read_text().splitlines() if (key := parse_line(line))}
    for uri in read_uris():
        address = ssh_address(uri)
        key = None if address is None else by_server.get(address.known_hosts_name)
        if key is not None and keys.pinned(uri) in (None, key.fingerprint):
            keys.pin(uri, key)
    file.replace(file.with_name(f"{file.name}.imported"))
