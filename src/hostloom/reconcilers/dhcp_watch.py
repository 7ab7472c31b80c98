"""Watches a rack's DHCP server: records its leases, and restores its configuration after a restart."""

import logging

from hostloom.model.dhcp import DhcpPulse
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import DhcpRejected
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.rack import Rack
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import DhcpServers
from hostloom.reconcilers.leases import LeaseIndex
from hostloom.reconcilers.publish_dhcp import publish_rack

log = logging.getLogger(__name__)

#: Interval of the checks, and so the maximum age of lease events.
LOOK_EVERY_S = 1.0
#: Maximum delay for noticing expired leases, even if the server reclaims them later.
READ_EVERY_S = 30.0
#: Interval at which the served configuration is compared with the store, and set if it differs.
PUBLISH_EVERY_S = 60.0


class DhcpWatch:
    """Call `look` every LOOK_EVERY_S, from one thread."""

    def __init__(self, ports: Ports, servers: DhcpServers, rack: Rack, lease_index: LeaseIndex) -> None:
        self._ports, self._rack, self._lease_index = ports, rack, lease_index
        self._dhcp = servers.of(rack)
        #: None: the server could not be reached, and may have restarted meanwhile.
        self._pulse: DhcpPulse | None = None
        self._has_read = False
        self._read_at = self._published_at = ports.clock.now()
        #: Why the server does not serve what it should.
        self._refusal: DriverError | None = None
        self._told = EventKind.DHCP_UP

    def look(self) -> None:
        """Record leases and restore the configuration; events report when a trouble starts and ends."""
        try:
            trouble = self._keep_up()
        except DriverError as error:
            trouble = str(error)
        if trouble:
            self._tell(trouble, EventKind.DHCP_DOWN)
        elif self._refusal is not None:
            rejected = isinstance(self._refusal, DhcpRejected)
            self._tell(str(self._refusal), EventKind.DHCP_REJECTED if rejected else EventKind.DHCP_DOWN)
        else:
            self._tell("", EventKind.DHCP_UP)

    def _keep_up(self) -> str:
        """The trouble of a part of the server; empty if it has none."""
        now = self._ports.clock.now()
        before, self._pulse = self._pulse, None
        pulse = self._dhcp.pulse()
        has_changed = before is None or before.processes != pulse.processes
        if has_changed or _is_over(self._published_at, PUBLISH_EVERY_S, now):
            self._published_at = now
            self._refusal = None
            try:
                self._publish()
            except DriverError as error:
                # Compared only periodically, because a comparison costs the server as much as a change.
                self._refusal = error
        # After a restart, the server may know its leases only when its configuration is set.
        if not self._has_read or pulse != before or _is_over(self._read_at, READ_EVERY_S, now):
            self._lease_index.record(self._rack.id, self._dhcp.leases())
            self._has_read, self._read_at = True, now
        self._pulse = pulse
        return pulse.trouble

    def _publish(self) -> None:
        with self._ports.store.begin() as uow:
            racks = uow.racks.list()
        publish_rack(self._ports, self._rack, racks)

    def _tell(self, trouble: str, kind: EventKind) -> None:
        if kind == self._told:
            return
        self._told = kind
        message = trouble or "the DHCP server answers and serves what it should"
        (log.warning if trouble else log.info)("%s", message)
        with self._ports.store.begin() as uow:
            subject = EventSubject(EventSubjectKind.RACK, str(self._rack.id), self._rack.name)
            uow.events.add(Event(kind, subject, message, self._ports.clock.now()))
            uow.commit()


def _is_over(since: float, period_s: float, now: float) -> bool:
    """Whether a period has passed; also true if the clock was set back."""
    return not since <= now < since + period_s
