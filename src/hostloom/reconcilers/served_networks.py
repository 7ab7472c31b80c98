"""The networks that the boot server answers: subnets of VLANs that our DHCP serves."""

import threading
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from hostloom.ports.context import Ports

Network = IPv4Network | IPv6Network

#: Maximum delay until machines of a newly served VLAN are answered.
KEEP_S = 1.0


class ServedNetworks:
    """The served subnets, and others that the settings allow; thread-safe."""

    def __init__(
        self, ports: Ports, others: Sequence[Network], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ports, self._others, self._clock = ports, tuple(others), clock
        self._lock = threading.Lock()
        self._networks: tuple[Network, ...] = ()
        self._read_at: float | None = None

    def __contains__(self, address: str) -> bool:
        """Whether a client with this address is answered; False for an invalid address."""
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        networks = self._current()
        if ip.is_link_local:
            # Firmware also uses link-local addresses, which come from machines on our own links.
            return any(network.version == ip.version for network in networks)
        return any(ip in network for network in networks)

    def _current(self) -> tuple[Network, ...]:
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= KEEP_S:
                self._networks, self._read_at = (*self._others, *self._read()), now
            return self._networks

    def _read(self) -> tuple[Network, ...]:
        with self._ports.store.begin() as uow:
            snapshot = uow.snapshot()
        return tuple(subnet.cidr for subnet in snapshot.subnets if subnet.vlan_id in snapshot.bootable_vlans)
