"""Gives sagas a host's hypervisor, a fresh reading of the host, and the spec of a machine on it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from hostloom.decide.hosts.correlation import uri_host
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostNotScannable, HostRefused, HostUnreachable, HostUnreadable
from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.stale import Stale
from hostloom.model.event import Event, host_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.finding import Findings
from hostloom.model.host import Host
from hostloom.model.ids import HostId
from hostloom.model.machine import Machine, MachineSpec
from hostloom.ports.context import Ports
from hostloom.ports.hypervisor import Hypervisor
from hostloom.ports.store import Store, UnitOfWork
from hostloom.recording.observation import Observation
from hostloom.recording.record import record_observation
from hostloom.recording.whereabouts import ask_elsewhere, note_start

T = TypeVar("T")

#: How often a transaction that lost against a parallel one is repeated.
ROW_ATTEMPTS = 8


def observe(ports: Ports, name: str, uri: str, pools: Sequence[str] = ()) -> Observation:
    """Read a host through libvirt and, if possible, its links, without changing anything.

    `pools`: names of its storage pools, as far as they are known.
    """
    start = note_start(ports.store, name)
    observed_host = ports.hypervisors.of(name, uri).describe(pools)
    findings = Findings()
    network = None
    try:
        network = ports.scanner.scan(uri)
    except HostNotScannable:
        pass
    except (HostUnreachable, HostRefused, HostUnreadable) as error:
        # libvirt answered: what it says of machines, pools and networks counts all the same.
        findings.add("links", "an answer of `ip` over SSH", error.cause)
    part = uri_host(uri)
    addresses = ports.resolver.addresses(part) if part else ()
    elsewhere = ask_elsewhere(ports, start, observed_host.machines)
    return Observation(observed_host, network, addresses, ports.clock.now(), findings.all(), start, elsewhere)


def observe_or_mark(ports: Ports, host: Host) -> Observation:
    """Read a host; if it does not answer, mark it and raise."""
    try:
        return observe(ports, host.name, host.uri, [pool.name for pool in host.storage_pools])
    except DriverError as error:
        mark_unreachable(ports, host.id, error)
        raise


def refresh_now(ports: Ports, name: str) -> Host:
    """Read a host again and record the result; if it does not answer, mark it and raise."""
    with ports.store.begin() as uow:
        host = find_host(uow, name)
    observation = observe_or_mark(ports, host)

    def record(uow: UnitOfWork) -> Host:
        return record_observation(uow, ports, uow.hosts.get(host.id), observation)

    return _written(ports.store, record)


def mark_unreachable(ports: Ports, host_id: HostId, error: DriverError) -> None:
    """Record that a host did not answer, with an event if that is new."""

    # The host is already recorded as unreachable.
    cause = error.cause if isinstance(error, HostUnreachable) else str(error)

    def mark(uow: UnitOfWork) -> None:
        host = uow.hosts.get(host_id)
        if host.reachable or host.unreachable_cause != cause:
            uow.hosts.update(replace(host, reachable=False, unreachable_cause=cause))
        if host.reachable:
            uow.events.add(Event(EventKind.HOST_LOST, host_subject(host), str(error), ports.clock.now()))

    _written(ports.store, mark)


def _written(store: Store, write: Callable[[UnitOfWork], T]) -> T:
    """Write in a transaction of its own, anew if a parallel one changed the host first."""
    left = ROW_ATTEMPTS
    while True:
        left -= 1
        try:
            with store.begin() as uow:
                written = write(uow)
                uow.commit()
                return written
        except Stale:
            if not left:
                raise


def find_host(uow: UnitOfWork, name: str) -> Host:
    """By name; NotFound."""
    host = uow.hosts.find(name)
    if host is None:
        raise NotFound("host", name)
    return host


def hypervisor_of(ports: Ports, machine: Machine) -> Hypervisor:
    """The hypervisor that a machine is on."""
    host = host_of(ports.store, machine)
    return ports.hypervisors.of(host.name, host.uri)


def host_of(store: Store, machine: Machine) -> Host:
    """The host of a machine; NotFound for a bare one."""
    if machine.host_id is None:
        raise NotFound("host", "", f"machine {machine.hostname!r}")
    with store.begin() as uow:
        return uow.hosts.get(machine.host_id)


def spec_of(host: Host, machine: Machine) -> MachineSpec:
    """What the hypervisor of its host is asked to make of a recorded machine; the same every time."""
    emulation = next(
        (emulation for emulation in host.emulations if emulation.architecture == machine.architecture), None
    )
    if emulation is None:
        raise NotFound("emulation for", machine.architecture, f"host {host.name!r}")
    return MachineSpec(
        uuid=machine.uuid,
        name=machine.hostname,
        cores=machine.cores,
        memory_mib=machine.memory_mib,
        emulation=emulation,
        interfaces=machine.interfaces,
        disks=machine.disks,
        netboot=machine.netboot,
        system_id=machine.system_id,
        autostart=machine.autostart,
    )
