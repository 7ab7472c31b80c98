"""The DHCP port over Kea: test, then set; what runs is never patched."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from hostloom.dhcp.config import KeaPaths, render
from hostloom.dhcp.control import ControlSocket
from hostloom.model.dhcp import DhcpIntent, Lease
from hostloom.model.errors import DhcpRejected, DhcpUnreachable, InvalidValue
from hostloom.model.ids import MacAddress, SubnetId
from hostloom.ports import Clock

#: `state` of a lease that is neither declined nor reclaimed.
ASSIGNED = 0
#: A server that is well answers at once.
ALIVE_TIMEOUT_S = 2.0


class KeaDhcp:
    """One Kea DHCPv4 server, reached through its control socket at `socket`.

    `paths` are Kea's own: they differ from `socket` where Kea runs in a mount namespace of its own.
    Without a `clock` the machine's own counts.
    """

    def __init__(self, socket: Path, paths: KeaPaths | None = None, clock: Clock | None = None) -> None:
        self._control = ControlSocket(socket)
        self._paths = paths or KeaPaths()
        self._now = time.time if clock is None else clock.now
        self._lock = threading.Lock()
        #: What was set last, and how Kea showed it afterwards.
        self._set: tuple[str, str] | None = None

    def apply(self, intent: DhcpIntent) -> None:
        """Test and set the whole configuration; DhcpRejected leaves the running one as it was.

        What runs already is not set again: Kea would close and open its sockets for nothing.
        """
        wanted = render(intent, self._paths)
        with self._lock:
            if not self._runs(wanted):
                self._control.command("config-test", wanted)
                self._control.command("config-set", wanted)
                self._set = (_digest(wanted), self._running())
            for lease in stale_leases(self._recorded(), intent):
                self._control.command("lease4-del", {"ip-address": str(lease.ip)})

    def leases(self) -> Sequence[Lease]:
        """Leases that are valid now, by address."""
        now = self._now()
        return sorted(
            (each for each in self._recorded() if each.expires_at > now), key=lambda each: int(each.ip)
        )

    def is_alive(self) -> bool:
        """Whether Kea answers, asked for two seconds at most."""
        try:
            self._control.command("status-get", timeout_s=ALIVE_TIMEOUT_S)
        except (DhcpUnreachable, DhcpRejected):
            return False
        return True

    def _runs(self, wanted: dict[str, Any]) -> bool:
        """Whether Kea was set to this and shows what it showed then: it may have restarted since."""
        return self._set is not None and self._set[0] == _digest(wanted) and self._set[1] == self._running()

    def _running(self) -> str:
        return _digest(self._control.command("config-get"))

    def _recorded(self) -> Iterator[Lease]:
        """Leases in Kea's book, those included that ran out and were not cleared away yet."""
        for each in self._control.command("lease4-get-all").get("leases", []):
            lease = _lease(each)
            if lease is not None and each.get("state", ASSIGNED) == ASSIGNED:
                yield lease


def stale_leases(leases: Iterator[Lease] | Sequence[Lease], intent: DhcpIntent) -> list[Lease]:
    """Leases that stand in the way: their address is another MAC's by now, or no longer leased at all.

    A machine that is gone leaves its lease behind, and Kea would not give the address to the next one.
    """
    reserved = {(s.id, each.ip): each.mac for s in intent.subnets for each in s.reservations}
    pools = {subnet.id: subnet.pools for subnet in intent.subnets}
    stale = []
    for lease in leases:
        mac = reserved.get((lease.subnet_id, lease.ip))
        in_pool = any(lease.ip in pool for pool in pools.get(lease.subnet_id, ()))
        if mac != lease.mac and (mac is not None or not in_pool):
            stale.append(lease)
    return stale


def _lease(data: dict[str, Any]) -> Lease | None:
    """None for a client whose hardware address is no MAC: no machine of ours."""
    try:
        mac = MacAddress.parse(data.get("hw-address", ""))
    except InvalidValue:
        return None
    return Lease(
        ip=ip_address(data["ip-address"]),
        mac=mac,
        hostname=data.get("hostname", ""),
        subnet_id=SubnetId(data["subnet-id"]),
        expires_at=float(data["cltt"] + data["valid-lft"]),
    )


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
