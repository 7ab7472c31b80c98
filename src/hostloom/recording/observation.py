"""One reading of a host: the results, unreadable parts, and differences from the record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hostloom.decide.explain.drift import render_change, render_end
from hostloom.decide.hosts.sighting import Elsewhere
from hostloom.model.drift import Drift
from hostloom.model.event import Event, EventSubject, host_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.finding import Finding, merge
from hostloom.model.host import Host, LibvirtNetwork, StoragePool
from hostloom.model.ids import HostId, SystemId
from hostloom.model.network import Address
from hostloom.model.observed import ObservedHost, ObservedNetwork
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork

#: Maximum number of events about one subject in one reading; further ones are counted.
MAX_TOLD = 50


@dataclass(frozen=True)
class ReadingStart:
    """The stored state when a reading began, because the reading does not know later changes."""

    #: The revision.
    revision: int
    #: The generations of the machines on the host.
    generations: dict[SystemId, int]
    #: None: the host is being added.
    host_id: HostId | None = None
    #: Machines of the host that are also defined on other hosts.
    copied: tuple[SystemId, ...] = ()


@dataclass(frozen=True)
class Observation:
    """One complete reading of a host."""

    host: ObservedHost
    #: The host's links, or None if they cannot be read; unless the URI excludes it, a finding says why.
    network: ObservedNetwork | None
    #: Current addresses of the host name in the URI.
    addresses: tuple[Address, ...]
    at: float
    #: Parts that could not be read at all.
    findings: tuple[Finding, ...] = ()
    #: None in a reading of an earlier version of hostloom.
    start: ReadingStart | None = None
    #: Answers of other hosts about machines that are recorded there.
    elsewhere: tuple[Elsewhere, ...] = ()


def findings_of(observation: Observation) -> tuple[Finding, ...]:
    """All findings of one reading."""
    return merge(
        observation.host.findings,
        () if observation.network is None else observation.network.findings,
        observation.findings,
    )


def tell_findings(uow: UnitOfWork, ports: Ports, host: Host, findings: tuple[Finding, ...]) -> None:
    """Record an event for each part that became unreadable or readable again."""
    before = {finding.part: finding for finding in host.findings}
    now = {finding.part: finding for finding in findings}
    subject, time = host_subject(host), ports.clock.now()
    appeared = [
        Event(EventKind.HOST_PART_UNREADABLE, subject, str(finding), time, details=_details(finding))
        for part, finding in now.items()
        if part not in before
    ]
    cleared = [_cleared(subject, part, time) for part in before if part not in now]
    if appeared or cleared:
        uow.events.add(*appeared, *cleared)


def _cleared(subject: EventSubject, part: str, time: float) -> Event:
    message = f"{part}: it is read as expected again, or no longer exists"
    return Event(EventKind.HOST_PART_READABLE, subject, message, time, details={"part": part})


def _details(finding: Finding) -> dict[str, str]:
    return {"part": finding.part, "expected": finding.expected, "found": finding.found}


def is_unread(observed_host: ObservedHost, uuid: str) -> bool:
    """Whether a machine that is missing in the reading may exist nevertheless."""
    return not observed_host.machines_listed or uuid in observed_host.unread


def networks_after(host: Host, observation: Observation) -> tuple[LibvirtNetwork, ...]:
    """The networks that were read; if the list could not be read, the known ones as inactive."""
    if observation.host.networks_listed:
        return observation.host.libvirt_networks
    return tuple(replace(network, active=False) for network in host.libvirt_networks)


def pools_after(host: Host, observation: Observation) -> tuple[StoragePool, ...]:
    """The pools that were read; an unreadable pool keeps its known values but is inactive."""
    before = {pool.name: pool for pool in host.storage_pools}
    pools = [
        _with_known(pool, before[pool.name]) if pool.trouble and pool.name in before else pool
        for pool in observation.host.storage_pools
    ]
    if not observation.host.pools_listed:
        names = {pool.name for pool in pools}
        cause = "libvirt did not list the storage pools of the host"
        pools += [
            replace(pool, active=False, trouble=cause, is_default=False)
            for pool in host.storage_pools
            if pool.name not in names
        ]
    return tuple(sorted(pools, key=lambda pool: pool.name))


def _with_known(pool: StoragePool, before: StoragePool) -> StoragePool:
    return replace(
        pool,
        kind=pool.kind or before.kind,
        path=pool.path or before.path,
        total_bytes=pool.total_bytes or before.total_bytes,
        free_bytes=pool.free_bytes or before.free_bytes,
    )


def record_drift(
    uow: UnitOfWork, ports: Ports, subject: EventSubject, before: Sequence[Drift], now: Sequence[Drift]
) -> None:
    """Record events for differences that are only in `now` or only in `before`, in one statement."""
    began = [(EventKind.DRIFT, render_change(change)) for change in now if change not in before]
    ended = [(EventKind.DRIFT_ENDED, render_end(change)) for change in before if change not in now]
    texts = began + ended
    if len(texts) > MAX_TOLD:
        texts = [*texts[:MAX_TOLD], (EventKind.DRIFT, f"{len(texts) - MAX_TOLD} more differences")]
    if texts:
        time = ports.clock.now()
        uow.events.add(*(Event(kind, subject, text, time) for kind, text in texts))
