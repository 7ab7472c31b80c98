"""Machines: compose, read, change and decompose."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hostloom.decide.request.resolve import parse_batch
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.suggest.suggest import advised_batch
from hostloom.model.access import Principal
from hostloom.model.errors.permissions import NotPermitted
from hostloom.model.errors.refusals import Refused
from hostloom.model.errors.resources import AlreadyExists, NotFound, WrongState
from hostloom.model.errors.stale import StaleGeneration
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId, check_hostname
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.machine import Machine, MachineOrigin, MachineState
from hostloom.model.operation import Operation
from hostloom.model.plan import Explanation
from hostloom.model.request import MAX_BATCH, ComposeBatch, ComposeRequest, Identities, ParsedBatch
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import hypervisor_of
from hostloom.sagas.compose_with_image import saga_of
from hostloom.sagas.decisions import (
    bind_groups,
    decide_batch,
    hosts_of,
    in_time,
    plans_or_refuse,
    resolve_groups,
)
from hostloom.sagas.decompose import DECOMPOSE, DecomposeInput
from hostloom.sagas.placement import ComposeInput, read_input
from hostloom.sagas.saga import start_saga
from hostloom.serialization import from_json, to_json
from hostloom.services.access import require_admin, require_user
from hostloom.services.deployments import complete_batch
from hostloom.services.groupings import with_group_ids
from hostloom.services.hosts import HOSTS
from hostloom.services.machine_operations import IN_OPERATION, require_no_operation, subject_of

#: Events of a machine that are searched for the last refusal.
REFUSALS_SEARCHED = 50
_NOT_MISSING = "it must be on its host"


@dataclass(frozen=True)
class MachineChanges:
    """What to change of a machine."""

    zone: str | Keep = KEEP
    resource_pool: str | Keep = KEEP
    tags: tuple[str, ...] | Keep = KEEP


def list_(
    uow: UnitOfWork,
    principal: Principal,
    after: SystemId | None = None,
    limit: int | None = None,
    host: str | None = None,
) -> list[Machine]:
    """Machines by system id, optionally only those of a host."""
    require_user(principal, "see machines")
    if host is None:
        return uow.machines.list(after, limit)
    machines = uow.machines.of_host(HOSTS.get(uow, principal, host).id)
    machines.sort(key=lambda machine: machine.system_id)
    return [machine for machine in machines if after is None or machine.system_id > after][:limit]


def get(uow: UnitOfWork, principal: Principal, key: str) -> Machine:
    """By hostname or system id; NotFound."""
    require_user(principal, "see machines")
    return uow.machines.find(key) or uow.machines.get(SystemId(key))


def compose(ports: Ports, principal: Principal, request: ComposeRequest) -> Operation:
    """Record an operation that composes one machine; Refused, with the explanation, if no plan fits."""
    return compose_batch(ports, principal, ComposeBatch((request,)))


def compose_batch(ports: Ports, principal: Principal, batch: ComposeBatch) -> Operation:
    """Record an operation that composes all machines or none; Refused names the machine that does not fit."""
    require_admin(principal, "compose machines")
    with ports.store.begin() as uow:
        parsed = parse_batch(complete_batch(uow, principal, batch))
        identities = draw_identities(ports, parsed)
        snapshot = uow.snapshot()
        parsed = bind_groups(resolve_groups(uow, parsed))
        check_hostnames(snapshot, identities)
        with in_time(len(parsed.machines)):
            decision = decide_batch(snapshot, parsed, identities)
            if decision.refused_at is not None:
                decision = advised_batch(snapshot, parsed, decision)
        try:
            hosts = hosts_of(plans_or_refuse(decision, identities))
        except Refused as refused:
            _tell_refused(uow, ports, identities[decision.refused_at or 0].hostname, refused)
            uow.commit()
            raise
        compose_input = ComposeInput(parsed, identities, hosts=hosts, revision=snapshot.revision)
        operation = start_saga(
            uow, ports, principal, saga_of(compose_input), compose_input, batch_subject(identities)
        )
        uow.commit()
    return operation


def decompose(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> Operation:
    """Record an operation that decomposes a composed machine; other machines are never deleted."""
    require_admin(principal, "decompose machines")
    with ports.store.begin() as uow:
        uow.lock_world()
        machine = get(uow, principal, key)
        _check_generation(machine, generation)
        if machine.origin is not MachineOrigin.COMPOSED:
            wanted, hint = "only machines that hostloom composed are decomposed", way_out(uow, machine)
            raise WrongState("machine", machine.hostname, machine.origin, wanted, hint)
        if machine.state in (MachineState.COMMISSIONING, MachineState.RELEASING):
            raise WrongState("machine", machine.hostname, machine.state, IN_OPERATION)
        require_no_operation(uow, machine)
        require_unlocked(machine)
        decompose_input = DecomposeInput(machine.system_id, machine.hostname)
        operation = start_saga(uow, ports, principal, DECOMPOSE, decompose_input, subject_of(machine))
        uow.commit()
    return operation


def console_log(ports: Ports, principal: Principal, key: str) -> str:
    """The end of the serial console's log."""
    require_admin(principal, "read consoles")
    with ports.store.begin() as uow:
        machine = get(uow, principal, key)
    require_reachable(machine)
    return hypervisor_of(ports, machine).console_log(machine.uuid)


def _tell_refused(uow: UnitOfWork, ports: Ports, hostname: str, refused: Refused) -> None:
    """Record an event with the explanation, so that `why` can answer for a refused machine."""
    details = {}
    if isinstance(refused.explanation, Explanation):
        details = {"explanation": to_json(refused.explanation.shortened())}
    subject = EventSubject(EventSubjectKind.MACHINE, name=hostname)
    kind = EventKind.MACHINE_REFUSED
    uow.events.add(Event(kind, subject, str(refused), ports.clock.now(), details=details))


def why(uow: UnitOfWork, principal: Principal, key: str) -> Explanation:
    """The explanation of a machine's placement or refusal.

    NotFound for unknown machines and machines that hostloom did not compose.
    """
    try:
        machine = get(uow, principal, key)
    except NotFound:
        kinds = (EventKind.MACHINE_REFUSED,)
        for event in uow.events.list(limit=REFUSALS_SEARCHED, subject=f"machine {key}", kinds=kinds):
            if "explanation" in event.details:
                return from_json(event.details["explanation"], Explanation)
        raise
    explanation = uow.machines.explanation(machine.system_id)
    if explanation is None:
        raise NotFound("explanation", "", f"machine {machine.hostname!r}")
    return explanation


def update(
    uow: UnitOfWork, principal: Principal, key: str, changes: MachineChanges, generation: int | None = None
) -> Machine:
    """Change a machine's groups, domain and tags."""
    require_admin(principal, "change machines")
    machine = get(uow, principal, key)
    _check_generation(machine, generation)
    require_unlocked(machine)
    return uow.machines.update(replace(machine, **with_group_ids(uow, changed_fields(changes))))


def way_out(uow: UnitOfWork, machine: Machine) -> str:
    """How to remove a machine that hostloom did not create."""
    name = machine.hostname
    if machine.origin is MachineOrigin.ENLISTED or machine.state is MachineState.MISSING:
        return f"`hostloom machine forget {name}` removes its record"
    host = "its host" if machine.host_id is None else f"host {uow.hosts.get(machine.host_id).name}"
    return (
        f"hostloom deletes only machines that it made: delete it on {host}, refresh that host, and then "
        f"`hostloom machine forget {name}` removes its record"
    )


def require_owner(principal: Principal, machine: Machine, action: str) -> None:
    """Raise NotPermitted unless the principal owns the machine or is an administrator."""
    if not principal.admin and machine.owner != principal.name:
        raise NotPermitted(principal.name, f"{action} machine {machine.hostname}")


def require_unlocked(machine: Machine) -> None:
    """Raise WrongState for a locked machine."""
    if machine.locked:
        raise WrongState(
            "machine",
            machine.hostname,
            "locked",
            "it must be unlocked first",
            f"`hostloom machine unlock {machine.hostname}` unlocks it",
        )


def require_reachable(machine: Machine) -> None:
    """Raise WrongState for a machine that is missing or that a saga is changing."""
    if machine.state in (MachineState.COMMISSIONING, MachineState.RELEASING, MachineState.MISSING):
        raise WrongState(
            "machine",
            machine.hostname,
            machine.state,
            _NOT_MISSING if machine.state is MachineState.MISSING else IN_OPERATION,
        )


def _check_generation(machine: Machine, generation: int | None) -> None:
    if generation is not None and generation != machine.generation:
        raise StaleGeneration("machine", machine.hostname, generation, machine.generation)


def copies(request: ComposeRequest, count: int) -> tuple[ComposeRequest, ...]:
    """`count` copies of the machine; the name gets a number: web-1, web-2, …"""
    if count == 1 or request.hostname is None:
        return (request,) * count
    return tuple(replace(request, hostname=f"{request.hostname}-{n}") for n in range(1, count + 1))


def draw_identities(ports: Ports, batch: ParsedBatch) -> tuple[Identities, ...]:
    """Generate the random identifiers of every machine."""
    if not 1 <= len(batch.machines) <= MAX_BATCH:
        raise InvalidValue(
            "machines", None, f"has {len(batch.machines)} entries", f"give 1 to {MAX_BATCH} machines"
        )
    now = ports.clock.now()
    return tuple(
        Identities(
            system_id=ports.ids.system_id(),
            hostname=ports.ids.hostname() if request.hostname is None else request.hostname,
            uuid=ports.ids.uuid(),
            macs=tuple(ports.ids.mac() for _ in range(request.nic_count)),
            at=now,
        )
        for request in batch.machines
    )


def check_hostnames(snapshot: Snapshot, identities: Sequence[Identities]) -> None:
    """Raise if the machine cannot have this hostname."""
    used_hostnames = {node.hostname.lower() for node in snapshot.nodes}
    counts = Counter(identity.hostname.lower() for identity in identities)
    for name in (identity.hostname for identity in identities):
        check_hostname(name)
        if counts[name.lower()] > 1:
            raise InvalidValue(
                "hostname", name, "is given to two machines of the request", "give each machine its own name"
            )
        if name.lower() in used_hostnames:
            raise AlreadyExists("node", name)


def identities_of(operation: Operation) -> tuple[Identities, ...]:
    """The identities of the machines of a compose."""
    return read_input(operation).identities


def batch_subject(identities: Sequence[Identities]) -> str:
    """The subject of an operation or plan: `machine web`, `machines web-1 … web-3`."""
    names = [identity.hostname for identity in identities]
    if len(names) == 1:
        return f"machine {names[0]}"
    return f"machines {names[0]} … {names[-1]}" if len(names) > 2 else f"machines {names[0]}, {names[1]}"
