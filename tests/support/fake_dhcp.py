"""A DHCP server that only remembers, refuses what Kea refuses, and fails when told; compare it by value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hostloom.model.dhcp import DhcpIntent, DhcpPulse, DhcpSubnet, Lease
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.errors.values import InvalidValue
from hostloom.model.rack import LOCAL, Rack, RackStatus
from hostloom.ports.dhcp import DhcpServer


@dataclass
class FakeServers:
    """Fills ports.DhcpServers: the local rack's server, and those of others by their control channels."""

    local: DhcpServer
    others: dict[str, DhcpServer] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def of(self, rack: Rack) -> DhcpServer:
        if rack.control == LOCAL:
            return self.local
        if rack.control not in self.others:
            raise InvalidValue("control", rack.control, "a channel that the test knows")
        return self.others[rack.control]

    def forget(self, rack: Rack) -> None:
        self.forgotten.append(rack.name)


@dataclass
class FakeDhcp:
    """Fills ports.DhcpServer; two are equal when they serve and have leased the same."""

    #: What it was told last and took.
    intent: DhcpIntent | None = None
    #: Leases that its clients hold; tests put them there.
    leased: list[Lease] = field(default_factory=list)
    #: False: the server is off.
    reachable: bool = field(default=True, compare=False)
    #: Raised by the next calls of `apply`, one each, before anything is changed.
    faults: list[DriverError] = field(default_factory=list, compare=False)
    #: Raised by the next calls of `apply`, one each, when all is changed: the answer got lost.
    late_faults: list[DriverError] = field(default_factory=list, compare=False)
    #: What is wrong with a part of it.
    trouble: str = field(default="", compare=False)
    #: Its process id.
    process: int = field(default=1, compare=False)
    #: Every intent that it took, in order.
    history: list[DhcpIntent] = field(default_factory=list, compare=False)

    def apply(self, intent: DhcpIntent) -> None:
        self._answer()
        if self.faults:
            raise self.faults.pop(0)
        for subnet in intent.subnets:
            _check(subnet)
        self.intent = intent
        self.history.append(intent)
        self.leased[:] = [each for each in self.leased if _may_stay(each, intent)]
        if self.late_faults:
            raise self.late_faults.pop(0)

    def leases(self) -> Sequence[Lease]:
        self._answer()
        if self.intent is None:
            raise DhcpRejected("it has not been set, and knows no command for leases")
        return sorted(self.leased, key=lambda each: int(each.ip))

    def is_alive(self) -> bool:
        return self.reachable

    def pulse(self) -> DhcpPulse:
        self._answer()
        count = hash(tuple((each.ip, each.mac) for each in self.leased))
        return DhcpPulse((self.process,), (count,), self.trouble)

    def status(self) -> RackStatus:
        if not self.reachable:
            return RackStatus("it is off")
        return RackStatus(self.trouble, ((4, "0.0"), (6, "0.0")), ((4, 1.0), (6, 1.0)))

    def running(self) -> dict[str, Any]:
        self._answer()
        subnets = self.intent.subnets if self.intent else ()
        return {f"Dhcp{v}": [str(each.cidr) for each in subnets if each.cidr.version == v] for v in (4, 6)}

    def restart(self) -> None:
        """As if it had died and come back with what its own file says: nothing."""
        self.process += 1
        self.intent = None

    def reserved(self) -> set[str]:
        """The addresses that it would assign to a client."""
        subnets = self.intent.subnets if self.intent else ()
        return {str(each.ip) for subnet in subnets for each in subnet.reservations}

    def _answer(self) -> None:
        if not self.reachable:
            raise DhcpUnreachable("it is off")


def _check(subnet: DhcpSubnet) -> None:
    outside = [each.ip for each in subnet.reservations if each.ip not in subnet.cidr]
    outside += [ip for each in subnet.pools for ip in (each.start, each.end) if ip not in subnet.cidr]
    if outside:
        raise DhcpRejected(f"{outside[0]} is not in {subnet.cidr}")
    ips = [each.ip for each in subnet.reservations]
    macs = [each.mac for each in subnet.reservations if each.ip.version == 4]
    if len(set(ips)) < len(ips) or len(set(macs)) < len(macs):
        raise DhcpRejected(f"{subnet.cidr} has a reservation twice")


def _may_stay(lease: Lease, intent: DhcpIntent) -> bool:
    """The address is reserved for this client, or is in a pool and not reserved."""
    subnet = next((each for each in intent.subnets if each.id == lease.subnet_id), None)
    if subnet is None:
        return False
    owner = next((each.mac for each in subnet.reservations if each.ip == lease.ip), None)
    return owner == lease.mac or (owner is None and any(lease.ip in pool for pool in subnet.pools))
