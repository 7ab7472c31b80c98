"""One reading of a host."""

from dataclasses import dataclass

from hostloom.decide.hosts.sighting import Elsewhere
from hostloom.model.finding import Finding
from hostloom.model.ids import HostId, SystemId
from hostloom.model.network import Address
from hostloom.model.observed import ObservedHost, ObservedNetwork


@dataclass(frozen=True)
class ReadingStart:
    """What the store held when a reading began: what was changed since, the reading cannot know."""

    #: The world's revision.
    revision: int
    #: The generation of each machine on the host.
    generations: dict[SystemId, int]
    #: None: it is being added.
    host_id: HostId | None = None
    #: Machines of the host that are defined on other hosts too.
    copied: tuple[SystemId, ...] = ()


@dataclass(frozen=True)
class Observation:
    """One complete reading of a host."""

    host: ObservedHost
    #: The host's links, or None if they cannot be read; unless the URI excludes it, a finding says why.
    network: ObservedNetwork | None
    #: What the host part of the URI resolves to now.
    addresses: tuple[Address, ...]
    at: float
    #: What could not be read as a whole.
    findings: tuple[Finding, ...] = ()
    #: None: a reading of an earlier version of hostloom.
    start: ReadingStart | None = None
    #: What other hosts say of the machines that are recorded there.
    elsewhere: tuple[Elsewhere, ...] = ()
