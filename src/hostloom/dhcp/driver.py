"""The DHCP port with Kea: test a configuration, then set it; it is never patched."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hostloom.dhcp.config import PATHS_6, KeaPaths, render, render6
from hostloom.dhcp.control import Control, ControlSocket
from hostloom.dhcp.server import KeaServer, RecordedLease
from hostloom.model.dhcp import DhcpIntent, DhcpPulse, DhcpReservation, Lease
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.ids import SubnetId
from hostloom.model.network import Address
from hostloom.model.rack import RackStatus
from hostloom.ports.context import Clock


class KeaDhcp:
    """Kea's DHCPv4 server behind the control channel `socket`, and its DHCPv6 server behind `socket6`.

    `paths` and `paths6` are Kea's own: they differ if it runs in a separate mount namespace. Without
    `socket6` IPv6 subnets are not served. Without a `clock` the machine's own counts. `on_set` is called with
    the IP version and the document after each that was set. With `keep_paths` servers keep the paths that
    they run with.
    """

    def __init__(
        self,
        socket: Path | Control,
        paths: KeaPaths | None = None,
        clock: Clock | None = None,
        *,
        socket6: Path | Control | None = None,
        paths6: KeaPaths | None = None,
        on_set: Callable[[int, dict[str, Any]], None] | None = None,
        keep_paths: bool = False,
    ) -> None:
        self._paths, self._paths6 = paths or KeaPaths(), paths6 or PATHS_6
        channels = {4: socket} | ({} if socket6 is None else {6: socket6})
        self._servers = [
            KeaServer(version, ControlSocket(channel) if isinstance(channel, Path) else channel)
            for version, channel in channels.items()
        ]
        self._on_set = on_set
        self._has_paths = not keep_paths
        self._now = time.time if clock is None else clock.now
        self._lock = threading.Lock()
        self._last: dict[int, list[RecordedLease]] = {}
        self._reserved: dict[tuple[SubnetId, Address], DhcpReservation] = {}

    def apply(self, intent: DhcpIntent) -> None:
        """Test and set the whole configuration; DhcpRejected leaves the running one as it was.

        Neither family is set before both are tested. A server that does not answer does not keep the other
        one from being set; DhcpUnreachable in the end, if it had anything to serve. What runs already is not
        set again: Kea would close and open its sockets for nothing.
        """
        with self._lock:
            self._find_paths()
            rendered = {4: render(intent, self._paths), 6: render6(intent, self._paths6)}
            changed, lost = self._test(rendered)
            for server in changed:
                server.set(rendered[server.version])
                if self._on_set is not None:
                    self._on_set(server.version, rendered[server.version])
            self._reserved = _reserved(intent)
            for server in self._servers:
                if server.version not in lost:
                    for lease in stale_leases(server.leases(), intent):
                        server.forget(lease.ip)
        for version in {subnet.cidr.version for subnet in intent.subnets} & lost.keys():
            raise lost[version]

    def _find_paths(self) -> None:
        """For servers that hostloom did not start; DhcpUnreachable if one does not answer."""
        if self._has_paths:
            return
        for server in self._servers:
            if server.version == 4:
                self._paths = server.paths(self._paths)
            else:
                self._paths6 = server.paths(self._paths6)
        self._has_paths = True

    def _test(
        self, rendered: dict[int, dict[str, Any]]
    ) -> tuple[list[KeaServer], dict[int, DhcpUnreachable]]:
        """The servers to configure, and those that do not answer, by IP version; never all of them."""
        changed: list[KeaServer] = []
        lost: dict[int, DhcpUnreachable] = {}
        for server in self._servers:
            try:
                if not server.runs(rendered[server.version]):
                    server.test(rendered[server.version])
                    changed.append(server)
            except DhcpUnreachable as error:
                lost[server.version] = error
        if len(lost) == len(self._servers):
            raise lost[self._servers[0].version]
        return changed, lost

    def leases(self) -> Sequence[Lease]:
        """Valid leases of clients with a known MAC, IPv4 first, by address."""
        now_s = self._now()
        valid = (recorded_lease for recorded_lease in self._recorded() if recorded_lease.expires_at > now_s)
        leases = [lease for recorded_lease in valid if (lease := self._known(recorded_lease)) is not None]
        return sorted(leases, key=lambda lease: (lease.ip.version, int(lease.ip)))

    def is_alive(self) -> bool:
        """Whether every server answers, within two seconds each."""
        return all(server.is_alive() for server in self._servers)

    def pulse(self) -> DhcpPulse:
        """Counters that show whether leases or servers changed: five short commands per server.

        DhcpUnreachable when none answers; of one of several it is the pulse's `trouble`.
        """
        processes: list[int] = []
        counts: list[int] = []
        lost, deaf = [], []
        for server in self._servers:
            try:
                process, trouble = server.process()
                processes.append(process)
                deaf += [trouble] if trouble else []
                counts += server.counts()
            except DhcpUnreachable as error:
                processes.append(0)
                lost.append(error)
        if len(lost) == len(self._servers):
            raise lost[0]
        return DhcpPulse(tuple(processes), tuple(counts), "; ".join([*map(str, lost), *deaf]))

    def status(self) -> RackStatus:
        """The status of every server; servers that do not answer are listed in `trouble`."""
        versions, uptimes, lost = [], [], []
        ha = ("", "")
        for server in self._servers:
            try:
                versions.append((server.version, server.version_text()))
                server_status = server.status()
            except (DhcpUnreachable, DhcpRejected) as error:
                lost.append(str(error))
                continue
            uptimes.append((server.version, server_status.uptime_s))
            lost += [server_status.deaf] if server_status.deaf else []
            ha = ha if ha[0] else (server_status.ha_state, server_status.ha_partner_state)
        return RackStatus("; ".join(lost), tuple(versions), tuple(uptimes), *ha)

    def running(self) -> dict[str, Any]:
        """The running configurations, by their names `Dhcp4` and `Dhcp6`; DhcpUnreachable."""
        configurations: dict[str, Any] = {}
        for server in self._servers:
            configurations |= server.running()
        return configurations

    def _recorded(self) -> Iterator[RecordedLease]:
        """The last value of a server that does not answer while another one does."""
        lost = []
        for server in self._servers:
            try:
                self._last[server.version] = list(server.leases())
            except DhcpUnreachable as error:
                lost.append(error)
        if len(lost) == len(self._servers):
            raise lost[0]
        for recorded_leases in self._last.values():
            yield from recorded_leases

    def _known(self, lease: RecordedLease) -> Lease | None:
        """None for a client with an unknown MAC, which is none of our machines."""
        reservation = self._reserved.get((lease.subnet_id, lease.ip))
        mac = reservation.mac if reservation is not None and lease.is_of(reservation) else lease.mac
        if mac is None:
            return None
        return Lease(lease.ip, mac, lease.hostname, lease.subnet_id, lease.expires_at)


def _reserved(intent: DhcpIntent) -> dict[tuple[SubnetId, Address], DhcpReservation]:
    return {
        (subnet.id, reservation.ip): reservation
        for subnet in intent.subnets
        for reservation in subnet.reservations
    }


def stale_leases(leases: Iterable[RecordedLease], intent: DhcpIntent) -> list[RecordedLease]:
    """Leases that conflict: their address now belongs to another client, or is no longer leased.

    A machine that is gone leaves its lease behind, and Kea would not give the address to the next one.
    """
    reserved = _reserved(intent)
    pools = {subnet.id: subnet.pools for subnet in intent.subnets}
    stale = []
    for lease in leases:
        reservation = reserved.get((lease.subnet_id, lease.ip))
        if reservation is not None:
            stands = lease.is_of(reservation)
        else:
            stands = any(lease.ip in pool for pool in pools.get(lease.subnet_id, ()))
        if not stands:
            stale.append(lease)
    return stale
