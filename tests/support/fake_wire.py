"""A wire that only remembers who is on it; kept honest by tests/contract/wire."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hostloom.model.attachment import AttachKind
from hostloom.model.dhcp_exchange import DhcpOffer
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostNotScannable, WireRefused
from hostloom.model.ids import MacAddress
from hostloom.model.network import DEFAULT_MTU, Address
from hostloom.ports.wire import NeighbourAnswer, ProbePoint


@dataclass
class FakeSegment:
    """What a probe beside one interface finds; two interfaces on one wire may share it."""

    #: What each server would offer.
    offers: list[DhcpOffer] = field(default_factory=list)
    #: Who answers for an address; two where it is there twice.
    stations: dict[Address, tuple[MacAddress, ...]] = field(default_factory=dict)
    #: The longest packet that passes to a station, where that is less than what is asked for.
    mtus: dict[Address, int] = field(default_factory=dict)
    #: Why the interface takes no probe: `held by a passthru machine`.
    held: str = ""


@dataclass
class FakeWire:
    """Fills ports.WireProbe."""

    #: By URI of the host and name of the bridge or parent; an interface that is not there takes no probe.
    segments: dict[tuple[str, str], FakeSegment] = field(default_factory=dict)
    #: By URI: what every probe on that host raises.
    faults: dict[str, DriverError] = field(default_factory=dict)
    #: Every probe, in order: `dhcp4`, `dhcp6` or `reach`, and where.
    asked: list[tuple[str, ProbePoint]] = field(default_factory=list)

    def segment(self, uri: str, source: str) -> FakeSegment:
        """The one behind an interface, made if there is none yet."""
        return self.segments.setdefault((uri, source), FakeSegment())

    def dhcp_servers(
        self, point: ProbePoint, version: int = 4, timeout_s: float = 3.0
    ) -> Sequence[DhcpOffer]:
        self.asked.append((f"dhcp{version}", point))
        return [each for each in self._found(point).offers if each.server.version == version]

    def reach(
        self, point: ProbePoint, targets: Sequence[Address], mtu: int | None = None, timeout_s: float = 1.0
    ) -> Sequence[NeighbourAnswer]:
        self.asked.append(("reach", point))
        segment = self._found(point)
        found = []
        for target in targets:
            macs = tuple(sorted(segment.stations.get(target, ())))
            passes = None if mtu is None or not macs else min(mtu, segment.mtus.get(target, DEFAULT_MTU))
            found.append(NeighbourAnswer(target, macs, passes))
        return found

    def _found(self, point: ProbePoint) -> FakeSegment:
        if point.uri in self.faults:
            raise self.faults[point.uri]
        if all(uri != point.uri for uri, _ in self.segments):
            raise HostNotScannable(point.uri)
        source = point.attachment.source
        segment = self.segments.get((point.uri, source))
        if point.attachment.kind is AttachKind.NETWORK:
            raise WireRefused(source, "it is a libvirt network, not an interface")
        if segment is None:
            raise WireRefused(source, "this interface does not exist")
        if segment.held:
            raise WireRefused(source, segment.held)
        return segment
