"""SSH host keys: asked for, shown, pinned, and compared ever after."""

import base64
import hashlib
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from hostloom.model.errors import HostUnreachable
from hostloom.ports import OfferedKey
from hostloom.remote.address import SshAddress, ssh_address

SCAN_TIMEOUT_S = 5
#: Strongest first; ssh offers the same order.
_ORDER = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


def parse_line(line: str) -> OfferedKey | None:
    """A line of a known-hosts file or of ssh-keyscan; None for comments and what is no key."""
    fields = line.split()
    if len(fields) < 3 or line.startswith("#"):
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except ValueError:
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return OfferedKey(fields[1], f"SHA256:{digest}", " ".join(fields[:3]))


class PinnedKeys:
    """The known-hosts file of hostloom's own: one pinned key a host, nothing else is ever trusted."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()

    def offered(self, uri: str) -> Sequence[OfferedKey]:
        """Ask the host for its keys, the strongest first."""
        address = ssh_address(uri)
        return () if address is None else self.scan(address)

    def scan(self, address: SshAddress) -> Sequence[OfferedKey]:
        """Run ssh-keyscan; HostUnreachable with its words if the host shows none."""
        port = ["-p", str(address.port)] if address.port else []
        argv = ["ssh-keyscan", "-T", str(SCAN_TIMEOUT_S), *port, "--", address.host]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SCAN_TIMEOUT_S * 4, check=False)
        keys = [key for key in map(parse_line, done.stdout.splitlines()) if key is not None]
        if not keys:
            words = [line for line in done.stderr.splitlines() if line and not line.startswith("#")]
            raise HostUnreachable(address.host, "; ".join(words) or "it shows no SSH key")
        return sorted(keys, key=lambda key: (_ORDER.index(key.kind) if key.kind in _ORDER else 9, key.kind))

    def pin(self, uri: str, key: OfferedKey) -> None:
        """Trust this key, and only this one."""
        address = ssh_address(uri)
        if address is not None:
            _, kind, blob = key.line.split()[:3]
            with self._lock:
                self._write([*self._others(address), f"{address.known_hosts_name} {kind} {blob}"])

    def pinned(self, uri: str) -> str | None:
        """Fingerprint of the pinned key."""
        address = ssh_address(uri)
        key = None if address is None else self.find(address)
        return None if key is None else key.fingerprint

    def find(self, address: SshAddress) -> OfferedKey | None:
        """The pinned key of an address."""
        for line in self._lines():
            if line.split()[:1] == [address.known_hosts_name]:
                return parse_line(line)
        return None

    def forget(self, uri: str) -> None:
        """Drop the pinned key."""
        address = ssh_address(uri)
        if address is not None:
            with self._lock:
                self._write(self._others(address))

    def _lines(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    def _others(self, address: SshAddress) -> list[str]:
        return [line for line in self._lines() if line.split()[:1] != [address.known_hosts_name]]

    def _write(self, lines: list[str]) -> None:
        """Replace the file in one step: a reader never sees half of it."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".new")
        draft.write_text("".join(f"{line}\n" for line in lines))
        draft.chmod(0o600)
        draft.replace(self.file)
