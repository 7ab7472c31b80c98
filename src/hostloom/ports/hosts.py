"""Hosts beside their hypervisor: scanning, SSH keys and name resolution."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hostloom.model.network import Address
from hostloom.model.observed import ObservedNetwork


class HostScanner(Protocol):
    """Reads the links, addresses and routes of a host."""

    def scan(self, uri: str) -> ObservedNetwork:
        """Read them; HostNotScannable where the URI gives no way to (TLS, test driver)."""
        ...


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """An SSH host key as a host shows it."""

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
        """Trust this key, and only this one, from now on."""
        ...

    def pinned(self, uri: str) -> str | None:
        """Fingerprint of the pinned key."""
        ...

    def retain(self, uri: str) -> None:
        """Keep the key that is pinned for the URI's address as long as this URI needs it, too."""
        ...

    def release(self, uri: str) -> None:
        """This URI needs its key no longer; it stays pinned while another URI needs it."""
        ...

    def forget(self, uri: str) -> None:
        """Trust the URI's address no longer, whoever needs it."""
        ...


class Resolver(Protocol):
    """Names to addresses."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses of a name or literal; empty when it does not resolve."""
        ...
