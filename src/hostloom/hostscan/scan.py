"""The host scanner: one round trip to a host, or to this machine."""

from hostloom.hostscan.commands import SCRIPT, cut
from hostloom.hostscan.parse import parse
from hostloom.model.errors import HostNotScannable, HostRefused
from hostloom.model.observed import ObservedNetwork
from hostloom.remote.address import ssh_address
from hostloom.remote.connection import Remotes, run_local

DEADLINE_S = 20.0
LOCAL_URIS = frozenset({"qemu:///system", "qemu:///session"})


class HostScan:
    """Reads the links, addresses and routes of hosts."""

    def __init__(self, remotes: Remotes) -> None:
        self._remotes = remotes

    def scan(self, uri: str) -> ObservedNetwork:
        """Read a host; HostNotScannable where the URI gives no way to a shell."""
        argv = ["sh", "-c", SCRIPT]
        address = ssh_address(uri)
        if address is not None:
            done = self._remotes.of(address).run(argv, DEADLINE_S)
            return parse(cut(done.stdout, address.host))
        if uri in LOCAL_URIS:
            return self.scan_local()
        raise HostNotScannable(uri)

    def scan_local(self) -> ObservedNetwork:
        """Read the machine that hostloom runs on."""
        done = run_local(["sh", "-c", SCRIPT], DEADLINE_S)
        if done.exit_code not in (0, 1):
            raise HostRefused("this machine", done.stderr.strip() or f"sh ended with {done.exit_code}")
        return parse(cut(done.stdout, "this machine"))
