"""The DHCP port over Kea: test, then set; what runs is never patched."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hostloom.dhcp.config import PATHS_6, KeaPaths, render, render6
from hostloom.dhcp.server import KeaServer, RecordedLease
from hostloom.model.dhcp import DhcpIntent, DhcpPulse, DhcpReservation, Lease
from hostloom.model.ids import SubnetId
from hostloom.model.network import Address
from hostloom.ports import Clock


class KeaDhcp:
    """Kea's DHCPv4 server behind the control socket `socket`, and its DHCPv6 server behind `socket6`.

    `paths` and `paths6` are Kea's own: they differ where it runs in a mount namespace of its own. Without
    `socket6` IPv6 subnets are not served. Without a `clock` the machine's own counts.
    """

    def __init__(
        self,
        socket: Path,
        paths: KeaPaths | None = None,
        clock: Clock | None = None,
        *,
        socket6: Path | None = None,
        paths6: KeaPaths | None = None,
    ) -> None:
        self._paths, self._paths6 = paths or KeaPaths(), paths6 or PATHS_6
        self._servers = [KeaServer(4, socket)] + ([KeaServer(6, socket6)] if socket6 is not None else [])
        self._now = time.time if clock is None else clock.now
        self._lock = threading.Lock()
        self._reserved: dict[tuple[SubnetId, Address], DhcpReservation] = {}

    def apply(self, intent: DhcpIntent) -> None:
        """Test and set the whole configuration; DhcpRejected leaves the running one as it was.

        Neither family is set before both are tested. What runs already is not set again: Kea would close
        and open its sockets for nothing.
        """
        rendered = {4: render(intent, self._paths), 6: render6(intent, self._paths6)}
        with self._lock:
            changed = [each for each in self._servers if not each.runs(rendered[each.version])]
            for server in changed:
                server.test(rendered[server.version])
            for server in changed:
                server.set(rendered[server.version])
            self._reserved = _reserved(intent)
            for server in self._servers:
                for lease in stale_leases(server.leases(), intent):
                    server.forget(lease.ip)

    def leases(self) -> Sequence[Lease]:
        """Leases that are valid now and whose client's MAC is known, IPv4 first, by address."""
        now = self._now()
        valid = (each for each in self._recorded() if each.expires_at > now)
        found = [lease for each in valid if (lease := self._known(each)) is not None]
        return sorted(found, key=lambda each: (each.ip.version, int(each.ip)))

    def is_alive(self) -> bool:
        """Whether every server answers, each asked for two seconds at most."""
        return all(each.is_alive() for each in self._servers)

    def pulse(self) -> DhcpPulse:
        """Whether leases or a server changed since: five short commands a server."""
        return DhcpPulse(
            tuple(each.process() for each in self._servers),
            tuple(count for each in self._servers for count in each.counts()),
        )

    def _recorded(self) -> Iterator[RecordedLease]:
        for server in self._servers:
            yield from server.leases()

    def _known(self, lease: RecordedLease) -> Lease | None:
        """None for a client whose MAC is not known: no machine of ours."""
        reservation = self._reserved.get((lease.subnet_id, lease.ip))
        mac = reservation.mac if reservation is not None and lease.is_of(reservation) else lease.mac
        if mac is None:
            return None
        return Lease(lease.ip, mac, lease.hostname, lease.subnet_id, lease.expires_at)


def _reserved(intent: DhcpIntent) -> dict[tuple[SubnetId, Address], DhcpReservation]:
    return {(subnet.id, each.ip): each for subnet in intent.subnets for each in subnet.reservations}


def stale_leases(leases: Iterable[RecordedLease], intent: DhcpIntent) -> list[RecordedLease]:
    """Leases that stand in the way: their address is another client's by now, or no longer leased at all.

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
