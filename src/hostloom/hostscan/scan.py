"""Scans a host in one round trip, over SSH or locally."""

from hostloom.hostscan.commands import SCRIPT
from hostloom.hostscan.parse import parse
from hostloom.model.errors.outside import HostNotScannable
from hostloom.model.observed import ObservedNetwork
from hostloom.remote.address import is_this_machine, ssh_address
from hostloom.remote.command import Local, Shell
from hostloom.remote.connection import Remotes

DEADLINE_S = 20.0


class HostScan:
    """Reads the links, addresses and routes of hosts."""

    def __init__(self, remotes: Remotes) -> None:
        self._remotes = remotes

    def scan(self, uri: str, deadline_s: float = DEADLINE_S) -> ObservedNetwork:
        """Read a host; HostNotScannable if the URI does not lead to a shell."""
        address = ssh_address(uri)
        if address is not None:
            return _read(self._remotes.of(address), deadline_s)
        if is_this_machine(uri):
            return _read(Local(), deadline_s)
        raise HostNotScannable(uri)


def _read(shell: Shell, deadline_s: float) -> ObservedNetwork:
    return parse(shell.run(["sh", "-c", SCRIPT], deadline_s).stdout, shell.name)
