"""Hosts beside their hypervisor: scanning, SSH keys and name resolution."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hostloom.model.network import Address
from hostloom.model.observed import ObservedNetwork


class HostScanner(Protocol):
    """Reads the links, addresses and routes of a host."""

    def scan(self, uri: str) -> ObservedNetwork:
        """Read a host; HostNotScannable if the URI leads to no shell (TLS, test driver)."""
        ...


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """An SSH host key that a host presents."""

    kind: str
    #: `SHA256:…` as `ssh-keygen -l` prints it.
    fingerprint: str
    #: The line for a known-hosts file.
    line: str


class HostKeys(Protocol):
    """The pinned SSH keys of hosts; URIs without SSH have none and need none."""

    def offered(self, uri: str) -> Sequence[OfferedKey]:
        """Ask the host for its keys, the strongest first; empty for a URI without SSH."""
        ...

    def pin(self, uri: str, key: OfferedKey) -> None:
        """Trust only this key from now on."""
        ...

    def pinned(self, uri: str) -> str | None:
        """Fingerprint of the pinned key."""
        ...

    def retain(self, uri: str) -> None:
        """Keep the key of the URI's address pinned for as long as this URI needs it."""
        ...

    def release(self, uri: str) -> None:
        """Release the key for this URI; it stays pinned while another URI needs it."""
        ...

    def forget(self, uri: str) -> None:
        """Delete the pinned key of the URI's address for all URIs."""
        ...


class Resolver(Protocol):
    """Resolves names to addresses."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses of a name or literal; empty when it does not resolve."""
        ...
