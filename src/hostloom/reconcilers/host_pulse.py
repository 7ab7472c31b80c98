"""Notices hosts that stop answering, and hosts that answer again."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hostloom.model.errors.base import DriverError, HostloomError
from hostloom.model.host import Host
from hostloom.model.ids import HostId
from hostloom.ports.context import Ports
from hostloom.recording.host_readings import mark_unreachable, refresh_now

log = logging.getLogger(__name__)

#: Number of hosts that are pinged in parallel, so that hanging hosts do not delay others.
HOSTS_AT_ONCE = 32
#: A host that answers but cannot be read is read again after 1, 3, 7, … checks, at most this number.
LONGEST_WAIT = 31
#: A host is lost after this number of missing answers in a row, because a daemon may just be restarting.
MISSES = 2


@dataclass
class _Signs:
    """The results of the last checks of one host."""

    #: Number of missing answers in a row.
    misses: int = 0
    #: Number of failed readings in a row, and number of checks until the next reading.
    failures: int = 0
    wait: int = 0


class HostPulse:
    """Call `look` periodically from one thread."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._signs: dict[HostId, _Signs] = {}

    def look(self) -> None:
        """Ping all hosts; mark lost hosts, and read hosts that answer again."""
        with self._ports.store.begin() as uow:
            # The operation that added a host reads it.
            hosts = [host for host in uow.hosts.list() if not host.is_being_read]
        self._signs = {host.id: self._signs.get(host.id) or _Signs() for host in hosts}
        if hosts:
            with ThreadPoolExecutor(min(HOSTS_AT_ONCE, len(hosts)), "pulse") as pool:
                list(pool.map(self._look_at, hosts))

    def _look_at(self, host: Host) -> None:
        try:
            self._ask(host)
        except HostloomError as error:
            # The host was deleted or changed meanwhile, or another server recorded the same.
            log.info("host %s: %s", host.name, error)

    def _ask(self, host: Host) -> None:
        try:
            self._ports.hypervisors.of(host.name, host.uri).ping()
        except DriverError as error:
            misses = self._signs[host.id].misses + 1
            self._signs[host.id] = _Signs(misses)
            if host.reachable and misses >= MISSES:
                mark_unreachable(self._ports, host.id, error)
            return
        if host.reachable:
            self._signs[host.id] = _Signs()
        else:
            self._read_again(host, self._signs[host.id])

    def _read_again(self, host: Host, signs: _Signs) -> None:
        """Read a host that is back; after a reading that failed, wait twice as long for the next one."""
        signs.misses = 0
        if signs.wait:
            signs.wait -= 1
            return
        try:
            refresh_now(self._ports, host.name)
        except DriverError as error:
            # libvirt answers, but cannot be read: the host is marked with this reason.
            log.debug("host %s: %s", host.name, error)
            signs.failures += 1
            signs.wait = min(2**signs.failures - 1, LONGEST_WAIT)
