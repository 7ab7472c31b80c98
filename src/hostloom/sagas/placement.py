"""The first half of compose: chooses hosts, reads them again, and reserves everything at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hostloom.decide.machines.nic_expectations import NicExpectation, expectations_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.stale import RoomTaken
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine
from hostloom.model.operation import Operation
from hostloom.model.plan import JointDecision
from hostloom.model.request import Identities, ParsedBatch
from hostloom.model.stored_plan import PlanContent
from hostloom.ports.store import Reservation, UnitOfWork
from hostloom.recording.host_readings import refresh_now
from hostloom.sagas.decisions import (
    composed_tags,
    decide_as_planned,
    decide_batch,
    differs,
    hosts_of,
    on_hosts,
    plans_or_refuse,
    resolve_groups,
)
from hostloom.sagas.saga import Run, Step, for_each_host
from hostloom.serialization import from_json

#: Machines with their hosts.
Placed = Sequence[tuple[Machine, Host]]
#: Rounds of choosing and reading hosts before a request without a fixed host accepts the last choice.
HOST_ATTEMPTS = 5


@dataclass(frozen=True)
class ComposeInput:
    """The request, and all random values, generated before the operation was recorded."""

    batch: ParsedBatch
    #: In the order of the batch.
    identities: tuple[Identities, ...]
    #: The stored plan that must be met exactly.
    plan_id: str | None = None
    #: The hosts that the service chose, and the revision that it used; without them the saga chooses.
    hosts: tuple[str, ...] = ()
    revision: int | None = None


@dataclass(frozen=True)
class ChosenHosts:
    """The hosts of the machines, read again and still the right choice."""

    hosts: tuple[str, ...]


def read_input(operation: Operation) -> ComposeInput:
    """The input of a compose."""
    return from_json(operation.input, ComposeInput)


def read_content(uow: UnitOfWork, plan_id: str) -> PlanContent:
    """A complete stored plan; PlanGone."""
    return from_json(uow.plans.content(plan_id), PlanContent)


def observe(run: Run[ComposeInput]) -> ChosenHosts:
    """Read the chosen hosts again; choose and read other hosts if the state has changed."""
    if run.input.plan_id is not None:
        with run.ports.store.begin() as uow:
            hosts = hosts_of(read_content(uow, run.input.plan_id).plans)
        _refresh(run, set(hosts))
        return ChosenHosts(hosts)
    with run.ports.store.begin() as uow:
        before = uow.snapshot()
    if run.input.hosts and before.revision == run.input.revision:
        _refresh(run, set(run.input.hosts))
        with run.ports.store.begin() as uow:
            after = uow.snapshot()
        if not _has_changed(run, before, after):
            return ChosenHosts(run.input.hosts)
        return _choose(run, set(run.input.hosts))
    return _choose(run, set())


def _choose(run: Run[ComposeInput], read: set[str]) -> ChosenHosts:
    """Decide and read hosts again, until all chosen hosts have been `read`."""
    for _ in range(HOST_ATTEMPTS):
        with run.ports.store.begin() as uow:
            decision = decide_batch(uow.snapshot(), run.input.batch, run.input.identities)
        hosts = hosts_of(plans_or_refuse(decision, run.input.identities))
        if read.issuperset(hosts):
            break
        _refresh(run, {*hosts} - read)
        read.update(hosts)
    return ChosenHosts(hosts)


def _refresh(run: Run[ComposeInput], hosts: Iterable[str]) -> None:
    def refresh(_: str, names: Iterator[str]) -> None:
        for name in names:
            refresh_now(run.ports, name)

    for_each_host(run, {name: (name,) for name in sorted(hosts)}, refresh)


def _has_changed(run: Run[ComposeInput], before: Snapshot, after: Snapshot) -> bool:
    """Whether the decision may change because of the readings or because of other requests."""
    # Every reading creates a revision.
    if after.revision > before.revision + len(set(run.input.hosts)):
        return True
    counts: Counter[str] = Counter()
    for host, request in zip(run.input.hosts, run.input.batch.machines, strict=True):
        counts[host] += sum(disk.size_bytes for disk in request.disks)
    return any(differs(before, after, host, size_bytes) for host, size_bytes in counts.items())


def reserve(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Decide inside the reserving transaction on hosts that were just read, and reserve the result."""
    snapshot = uow.snapshot()
    if run.input.plan_id is None:
        decision = _decide_on_chosen(run, snapshot)
        plans, explanations = decision.plans, decision.explanations
    else:
        content = read_content(uow, run.input.plan_id)
        plans = decide_as_planned(snapshot, run.input.plan_id, content)
        explanations = content.explanations
    requests = resolve_groups(uow, run.input.batch).machines
    hosts = [snapshot.host_by_id[plan.host_id].host for plan in plans]
    machines = uow.reserve(
        [
            Reservation(
                plan,
                explanation,
                request.zone_id,
                request.resource_pool_id,
                request.domain_id,
                composed_tags(request.tags, host.tags),
            )
            for plan, explanation, request, host in zip(plans, explanations, requests, hosts, strict=True)
        ]
    )
    pairs: Placed = list(zip(machines, hosts, strict=True))
    run.keep(read_placed, pairs)
    run.keep(read_wants, _wants_of(snapshot, pairs))


def _decide_on_chosen(run: Run[ComposeInput], snapshot: Snapshot) -> JointDecision:
    """The decision, if it leads to the chosen hosts; otherwise the decision on the chosen hosts."""
    batch, identities = run.input.batch, run.input.identities
    chosen = run.output(OBSERVE).hosts
    free = decide_batch(snapshot, batch, identities)
    if free.refused_at is None and hosts_of(free.plans) == chosen:
        return free
    bound = decide_batch(snapshot, on_hosts(batch, chosen), identities)
    if bound.refused_at is not None and batch.machines[bound.refused_at].host is None:
        raise RoomTaken(chosen[bound.refused_at])
    plans_or_refuse(bound, identities)
    return bound


def choose_again(run: Run[ComposeInput]) -> None:
    """Choose and read again, because a host has filled up or changed since it was chosen."""
    run.outputs[OBSERVE.name] = observe(run)


def read_placed(run: Run[ComposeInput]) -> Placed:
    """The machines with their hosts; the fields for a hypervisor do not change after the reservation."""
    with run.ports.store.begin() as uow:
        machines = uow.machines.some([identity.system_id for identity in run.input.identities])
        if len(machines) != len(run.input.identities):
            raise NotFound("machine", run.input.identities[0].hostname)
        hosts = {
            machine.host_id: uow.hosts.get(machine.host_id)
            for machine in machines
            if machine.host_id is not None
        }
    return [(machine, hosts[machine.host_id]) for machine in machines if machine.host_id is not None]


def is_reserved(run: Run[ComposeInput]) -> bool:
    """Whether the machines are recorded; they are not if a process died between two reservations."""
    with run.ports.store.begin() as uow:
        keys = [identities.system_id for identities in run.input.identities]
        return len(uow.machines.some(keys)) == len(keys)


def read_wants(run: Run[ComposeInput]) -> Mapping[SystemId, Sequence[NicExpectation]]:
    """The expectations for proofs of the machines' NICs."""
    with run.ports.store.begin() as uow:
        return _wants_of(uow.snapshot(), run.once(read_placed))


def _wants_of(snapshot: Snapshot, pairs: Placed) -> Mapping[SystemId, Sequence[NicExpectation]]:
    return {machine.system_id: expectations_of(snapshot, host, machine) for machine, host in pairs}


def release(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Release all reservations."""
    uow.release([identity.system_id for identity in run.input.identities])


OBSERVE = Step[ComposeInput, ChosenHosts]("observe", ChosenHosts, do=observe)
