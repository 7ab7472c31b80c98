"""Reads hosts again whose last reading is old."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hostloom.model.errors.base import DriverError, HostloomError
from hostloom.model.host import Host
from hostloom.model.ids import HostId
from hostloom.ports.context import Ports
from hostloom.recording.host_readings import refresh_now

log = logging.getLogger(__name__)

#: Number of hosts that are read in parallel.
HOSTS_AT_ONCE = 4


class HostRefresher:
    """Call `look` periodically from one thread; dead hosts are not tried more often than others."""

    def __init__(self, ports: Ports, every_s: float) -> None:
        self._ports, self._every_s = ports, every_s
        #: The time of the last attempt for every host, whatever its result.
        self._asked_at: dict[HostId, float] = {}

    def look(self) -> None:
        """Read hosts with facts older than `every_s`, the oldest first."""
        stale = self._stale()
        if stale:
            with ThreadPoolExecutor(HOSTS_AT_ONCE, "host-refresh") as pool:
                list(pool.map(self._refresh, stale))

    def _stale(self) -> Sequence[Host]:
        now = self._ports.clock.now()
        with self._ports.store.begin() as uow:
            # The operation that added a host reads it.
            hosts = [host for host in uow.hosts.list() if not host.is_being_read]
        self._asked_at = {host.id: self._asked_at[host.id] for host in hosts if host.id in self._asked_at}
        known_at = {host.id: self._known_at(host, now) for host in hosts}
        stale = [host for host in hosts if now - known_at[host.id] >= self._every_s]
        return sorted(stale, key=lambda host: (known_at[host.id], host.id))

    def _known_at(self, host: Host, now: float) -> float:
        """The time of the last reading or attempt; a time in the future counts as the oldest."""
        times = (host.facts_at or 0.0, self._asked_at.get(host.id, 0.0))
        return max((time for time in times if time <= now), default=0.0)

    def _refresh(self, host: Host) -> None:
        self._asked_at[host.id] = self._ports.clock.now()
        try:
            refresh_now(self._ports, host.name)
        except DriverError as error:
            # The host is marked, and an event reports it.
            log.debug("host %s: %s", host.name, error)
        except HostloomError as error:
            # The host was deleted or changed meanwhile.
            log.info("host %s was not refreshed: %s", host.name, error)
