"""The DHCP port over Kea: test, then set; what runs is never patched."""

import threading
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from hostloom.dhcp.config import KeaPaths, render
from hostloom.dhcp.control import ControlSocket
from hostloom.model.dhcp import DhcpIntent, Lease
from hostloom.model.errors import DhcpRejected, DhcpUnreachable
from hostloom.model.ids import MacAddress, SubnetId

#: `state` of a lease that is neither declined nor reclaimed.
ASSIGNED = 0


class KeaDhcp:
    """One Kea DHCPv4 server, reached through its control socket at `socket`.

    `paths` are Kea's own: they differ from `socket` where Kea runs in a mount namespace of its own.
    """

    def __init__(self, socket: Path, paths: KeaPaths | None = None) -> None:
        self._control = ControlSocket(socket)
        self._paths = paths or KeaPaths()
        self._lock = threading.Lock()

    def apply(self, intent: DhcpIntent) -> None:
        """Test and set the whole configuration; DhcpRejected leaves the running one as it was."""
        wanted = render(intent, self._paths)
        with self._lock:
            self._control.command("config-test", wanted)
            self._control.command("config-set", wanted)
            for lease in stale_leases(self.leases(), intent):
                self._control.command("lease4-del", {"ip-address": str(lease.ip)})

    def leases(self) -> Sequence[Lease]:
        """Leases that are valid now, by address."""
        answer = self._control.command("lease4-get-all")
        leases = [
            _lease(each) for each in answer.get("leases", []) if each.get("state", ASSIGNED) == ASSIGNED
        ]
        return sorted(leases, key=lambda lease: int(lease.ip))

    def is_alive(self) -> bool:
        """Whether Kea answers."""
        try:
            self._control.command("status-get")
        except (DhcpUnreachable, DhcpRejected):
            return False
        return True


def stale_leases(leases: Sequence[Lease], intent: DhcpIntent) -> list[Lease]:
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


def _lease(data: dict[str, Any]) -> Lease:
    return Lease(
        ip=ip_address(data["ip-address"]),
        mac=MacAddress.parse(data["hw-address"]),
        hostname=data.get("hostname", ""),
        subnet_id=SubnetId(data["subnet-id"]),
        expires_at=float(data["cltt"] + data["valid-lft"]),
    )
