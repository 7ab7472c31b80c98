"""Before and after a reading: what the store held when it began, and what other hosts say of its machines."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from hostloom.decide.hosts.sighting import Elsewhere
from hostloom.decide.machines.drift import COPY, copies_of
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.resources import InUse
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import HostId
from hostloom.model.machine import Machine, PowerState
from hostloom.model.observed import ObservedMachine
from hostloom.ports.context import Ports
from hostloom.ports.hypervisor import Hypervisors
from hostloom.ports.store import Store
from hostloom.recording.observation import ReadingStart

#: Maximum number of hosts that are asked for a machine, and that an event names.
HOSTS_AT_ONCE, MAX_NAMED = 8, 20


def note_start(store: Store, name: str) -> ReadingStart:
    """What the store holds as a reading of a host begins; a host that is being added has no machines."""
    with store.begin() as uow:
        host = uow.hosts.find(name)
        machines = {} if host is None else uow.machines.generations(host.id)
        return ReadingStart(
            uow.snapshot().revision,
            {key: generation for key, (generation, _) in machines.items()},
            None if host is None else host.id,
            tuple(key for key, (_, drift) in machines.items() if any(each.kind == COPY for each in drift)),
        )


def ask_elsewhere(
    ports: Ports, start: ReadingStart, observed_machines: Iterable[ObservedMachine]
) -> tuple[Elsewhere, ...]:
    """Asks other hosts about machines that were found here but are recorded or copied there.

    Hosts are asked only then, which is rare: a machine was moved or copied by hand.
    """
    machineses: dict[HostId, list[Machine]] = {}
    with ports.store.begin() as uow:
        for machine in uow.machines.elsewhere(start.host_id, [machine.uuid for machine in observed_machines]):
            if machine.host_id is not None:
                machineses.setdefault(machine.host_id, []).append(machine)
        for machine in uow.machines.some(start.copied) if start.copied else ():
            for name in copies_of(machine):
                if other := uow.hosts.find(name):
                    machineses.setdefault(other.id, []).append(machine)
        hosts = {key: uow.hosts.get(key) for key in machineses}
    return tuple(
        answer
        for key, machines in machineses.items()
        for answer in _ask(ports.hypervisors, hosts[key], machines)
    )


def require_nowhere_else(ports: Ports, machine: Machine) -> None:
    """Raise InUse if another host has a machine that is missing on its own, because it was moved by hand.

    Hosts that do not answer cannot be asked; an event names them.
    """
    with ports.store.begin() as uow:
        hosts = [host for host in uow.hosts.list() if host.id != machine.host_id]
    with ThreadPoolExecutor(HOSTS_AT_ONCE, "whereabouts") as pool:
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
        there, power = None, PowerState.UNKNOWN
        if answers:
            try:
                observed_machine = hypervisors.of(host.name, host.uri).find_machine(machine.uuid)
                there, power = (
                    observed_machine is not None,
                    PowerState.OFF if observed_machine is None else observed_machine.power,
                )
            except DriverError:
                answers = False
        yield Elsewhere(machine.system_id, host.id, there, power, machine.generation)
