"""The hypervisors of all hosts, each with its own connection."""

import threading

from hostloom.hypervisor.connection import Deadlines, HostConnection
from hostloom.hypervisor.driver import LibvirtHypervisor
from hostloom.hypervisor.host_access import HostAccess


class LibvirtHypervisors:
    """The hypervisors of all hosts."""

    def __init__(self, reach: HostAccess, patience: Deadlines | None = None) -> None:
        self._reach = reach
        self._patience = patience or Deadlines()
        self._lock = threading.Lock()
        self._known: dict[str, tuple[HostConnection, LibvirtHypervisor]] = {}

    def of(self, host: str, uri: str) -> LibvirtHypervisor:
        """The hypervisor at a URI."""
        with self._lock:
            if uri not in self._known:
                connection = HostConnection(host, uri, self._reach.libvirt_uri, self._patience)
                self._known[uri] = connection, LibvirtHypervisor(uri, connection, self._reach)
            connection, hypervisor = self._known[uri]
            connection.host = host
            return hypervisor

    def forget(self, uri: str) -> None:
        """Close the connection to a host, including the forwarded socket."""
        with self._lock:
            entry = self._known.pop(uri, None)
        if entry is not None:
            entry[1].close()
        self._reach.forget(uri)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            entries, self._known = list(self._known.values()), {}
        for _, hypervisor in entries:
            hypervisor.close()
