"""Hosts for sagas: hypervisors, new readings, places of machines, and their specifications."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from hostloom.decide.hosts.correlation import uri_host
from hostloom.decide.hosts.sighting import Elsewhere
from hostloom.decide.machines.drift import COPY, copies_of
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostNotScannable, HostRefused, HostUnreachable, HostUnreadable
from hostloom.model.errors.resources import InUse, NotFound
from hostloom.model.errors.stale import Stale
from hostloom.model.event import Event, host_subject, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.finding import Findings
from hostloom.model.host import Host
from hostloom.model.ids import HostId
from hostloom.model.machine import Machine, MachineSpec, PowerState
from hostloom.model.observed import ObservedMachine
from hostloom.ports.context import Ports
from hostloom.ports.hypervisor import Hypervisor, Hypervisors
from hostloom.ports.store import Store, UnitOfWork
from hostloom.recording.observation import Observation, ReadingStart
from hostloom.recording.record import record_observation

T = TypeVar("T")

#: Maximum number of attempts of a transaction that conflicts with parallel ones.
ROW_ATTEMPTS = 8


def observe(ports: Ports, name: str, uri: str, pools: Sequence[str] = ()) -> Observation:
    """Read a host through libvirt and, if possible, its links, without changing anything.

    `pools`: the known names of its storage pools.
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
        # libvirt answered, so its machines, pools and networks are still valid.
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


def observe_host(ports: Ports, name: str) -> Observation:
    """Read a recorded host; if it does not answer, mark it and raise."""
    with ports.store.begin() as uow:
        host = find_host(uow, name)
    return observe_or_mark(ports, host)


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
    """Write in a separate transaction, and repeat it if a parallel one changed the host."""
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
    """A record by name; NotFound."""
    host = uow.hosts.find(name)
    if host is None:
        raise NotFound("host", name)
    return host


def hypervisor_of(ports: Ports, machine: Machine) -> Hypervisor:
    """The hypervisor of a machine's host."""
    host = host_of(ports.store, machine)
    return ports.hypervisors.of(host.name, host.uri)


def host_of(store: Store, machine: Machine) -> Host:
    """The host of a machine; NotFound for a bare machine."""
    if machine.host_id is None:
        raise NotFound("host", "", f"machine {machine.hostname!r}")
    with store.begin() as uow:
        return uow.hosts.get(machine.host_id)


def spec_of(host: Host, machine: Machine) -> MachineSpec:
    """The specification of a recorded machine for its hypervisor; always the same for the same record."""
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


#: Maximum number of hosts that are searched for a machine, and that an event names.
HOSTS_AT_ONCE, MAX_NAMED = 8, 20


def note_start(store: Store, name: str) -> ReadingStart:
    """The stored state at the beginning of a reading; a host that is being added has no machines."""
    with store.begin() as uow:
        host = uow.hosts.find(name)
        machines = {} if host is None else uow.machines.generations(host.id)
        return ReadingStart(
            uow.snapshot().revision,
            {key: generation for key, (generation, _) in machines.items()},
            None if host is None else host.id,
            tuple(
                key for key, (_, drift) in machines.items() if any(change.kind == COPY for change in drift)
            ),
        )


def ask_elsewhere(
    ports: Ports, start: ReadingStart, observed_machines: Iterable[ObservedMachine]
) -> tuple[Elsewhere, ...]:
    """Asks other hosts about machines that were found here but are recorded or copied there.

    This is rare: it happens only after a machine was moved or copied manually.
    """
    by_host: dict[HostId, list[Machine]] = {}
    with ports.store.begin() as uow:
        for machine in uow.machines.elsewhere(start.host_id, [machine.uuid for machine in observed_machines]):
            if machine.host_id is not None:
                by_host.setdefault(machine.host_id, []).append(machine)
        for machine in uow.machines.some(start.copied) if start.copied else ():
            for name in copies_of(machine):
                if other := uow.hosts.find(name):
                    by_host.setdefault(other.id, []).append(machine)
        hosts = {key: uow.hosts.get(key) for key in by_host}
    return tuple(
        answer
        for key, machines in by_host.items()
        for answer in _ask(ports.hypervisors, hosts[key], machines)
    )


def require_nowhere_else(ports: Ports, machine: Machine) -> None:
    """Raise InUse if a machine that is missing on its host is on another host, because it was moved manually.

    An event names hosts that do not answer and so could not be searched.
    """
    with ports.store.begin() as uow:
        hosts = [host for host in uow.hosts.list() if host.id != machine.host_id]
    with ThreadPoolExecutor(HOSTS_AT_ONCE, "elsewhere") as pool:
        answers = list(pool.map(lambda host: next(iter(_ask(ports.hypervisors, host, [machine]))), hosts))
    for host, answer in zip(hosts, answers, strict=True):
        if answer.there:
            power = "where it runs" if answer.power is PowerState.ON else "where it is switched off"
            hint = f"`hostloom host refresh {host.name}` records that it is there"
            raise InUse("machine", machine.hostname, [f"host {host.name}, {power}"], hint)
    silent = [host.name for host, answer in zip(hosts, answers, strict=True) if answer.there is None]
    if silent:
        names = ", ".join(silent[:MAX_NAMED]) + (", …" if len(silent) > MAX_NAMED else "")
        text = f"it was not looked for on hosts that do not answer: {names}"
        with ports.store.begin() as uow:
            event = Event(EventKind.MACHINE_NOT_FOUND, machine_subject(machine), text, ports.clock.now())
            uow.events.add(event)
            uow.commit()


def _ask(hypervisors: Hypervisors, host: Host, machines: Sequence[Machine]) -> Iterable[Elsewhere]:
    """The answers of one host; after a failure, the host is not asked again."""
    answers = host.reachable
    for machine in machines:
        existing, power = None, PowerState.UNKNOWN
        if answers:
            try:
                observed_machine = hypervisors.of(host.name, host.uri).find_machine(machine.uuid)
                existing, power = (
                    observed_machine is not None,
                    PowerState.OFF if observed_machine is None else observed_machine.power,
                )
            except DriverError:
                answers = False
        yield Elsewhere(machine.system_id, host.id, existing, power, machine.generation)
