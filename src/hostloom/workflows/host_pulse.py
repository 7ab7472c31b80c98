"""Notices hosts that stop to answer, and those that answer again, without any request to them."""

import logging
from concurrent.futures import ThreadPoolExecutor

from hostloom.model.errors import DriverError, HostloomError
from hostloom.model.host import Host
from hostloom.model.ids import HostId
from hostloom.ports import Ports
from hostloom.workflows.hosts import mark_unreachable, refresh_now

log = logging.getLogger(__name__)

#: Hosts that are asked at a time: those that hang must not keep the others waiting.
HOSTS_AT_ONCE = 32
#: A host is lost when it gave no answer so many times in a row: a daemon may just be restarting.
MISSES = 2


class HostPulse:
    """Call `look` now and then, from one thread."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        #: How often in a row a host gave no answer.
        self._misses: dict[HostId, int] = {}

    def look(self) -> None:
        """Ask every host for a sign of life; mark those that are lost, and read those that are back."""
        with self._ports.store.begin() as uow:
            # The operation that added a host reads it.
            hosts = [host for host in uow.hosts.list() if not host.is_being_read]
        self._misses = {host.id: self._misses.get(host.id, 0) for host in hosts}
        if hosts:
            with ThreadPoolExecutor(min(HOSTS_AT_ONCE, len(hosts)), "pulse") as pool:
                list(pool.map(self._look_at, hosts))

    def _look_at(self, host: Host) -> None:
        try:
            self._ask(host)
        except HostloomError as error:
            # It was deleted or changed meanwhile, or another server recorded the same.
            log.info("host %s: %s", host.name, error)

    def _ask(self, host: Host) -> None:
        try:
            self._ports.hypervisors.of(host.name, host.uri).ping()
        except DriverError as error:
            self._misses[host.id] += 1
            if host.reachable and self._misses[host.id] >= MISSES:
                mark_unreachable(self._ports, host.id, error)
            return
        self._misses[host.id] = 0
        if not host.reachable:
            try:
                refresh_now(self._ports, host.name)
            except DriverError as error:
                # libvirt answers, but cannot be read: the host is marked with this reason.
                log.debug("host %s: %s", host.name, error)
