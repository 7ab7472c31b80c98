"""The first half of compose: choose hosts that were just re-read, and reserve everything on them at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hostloom.codec import from_json
from hostloom.decide.explain.data import from_data
from hostloom.decide.proving import NicWants, wants_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors import NotFound, StaleGeneration
from hostloom.model.host import Host
from hostloom.model.ids import DomainId, ResourcePoolId, SystemId, ZoneId
from hostloom.model.machine import Machine
from hostloom.model.plan import JointDecision
from hostloom.model.request import ComposeBatch, Identities
from hostloom.model.stored_plan import PlanContent
from hostloom.ports import Repository, Reservation, UnitOfWork
from hostloom.workflows.composed_tags import composed_tags
from hostloom.workflows.deciding import (
    decide_as_planned,
    decide_batch,
    hosts_of,
    on_hosts,
    plans_or_refuse,
)
from hostloom.workflows.hosts import refresh_now
from hostloom.workflows.saga import Run, Step
from hostloom.workflows.side_by_side import side_by_side

T = TypeVar("T")
K = TypeVar("K")

#: Rounds of choosing and re-reading before a request that leaves the host open takes what it has.
HOST_ATTEMPTS = 5


@dataclass(frozen=True)
class ComposeInput:
    """What is wanted, and everything random about it, drawn before the operation was recorded."""

    batch: ComposeBatch
    #: In the order of the batch.
    identities: tuple[Identities, ...]
    #: The kept plan that must be met to the last field.
    plan_id: str | None = None


@dataclass(frozen=True)
class ChosenHosts:
    """The host of each machine, re-read and still the right one."""

    hosts: tuple[str, ...]


def read_content(uow: UnitOfWork, plan_id: str) -> PlanContent:
    """A kept plan in full; PlanGone."""
    return from_json(uow.plans.content(plan_id), PlanContent)


def observe(run: Run[ComposeInput]) -> ChosenHosts:
    """Re-read the hosts that the request leads to; where that leads elsewhere, re-read those."""
    if run.input.plan_id is not None:
        with run.ports.store.begin() as uow:
            hosts = hosts_of(read_content(uow, run.input.plan_id).plans)
        _refresh(run, set(hosts))
        return ChosenHosts(hosts)
    seen: set[str] = set()
    for _ in range(HOST_ATTEMPTS):
        with run.ports.store.begin() as uow:
            found = decide_batch(uow.snapshot(), run.input.batch, run.input.identities)
        hosts = hosts_of(plans_or_refuse(found, run.input.identities))
        if seen.issuperset(hosts):
            break
        _refresh(run, {*hosts} - seen)
        seen.update(hosts)
    return ChosenHosts(hosts)


def _refresh(run: Run[ComposeInput], hosts: Iterable[str]) -> None:
    def refresh(_: str, names: Iterator[str]) -> None:
        for name in names:
            refresh_now(run.ports, name)

    side_by_side(run, {name: (name,) for name in sorted(hosts)}, refresh)


def reserve(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Decide once more inside the reserving transaction, on the hosts that were just re-read."""
    snapshot = uow.snapshot()
    if run.input.plan_id is None:
        found = _decide_on_chosen(run, snapshot)
        plans, explanations = found.plans, found.explanations
    else:
        content = read_content(uow, run.input.plan_id)
        plans = decide_as_planned(snapshot, run.input.plan_id, content)
        explanations = tuple(map(from_data, content.explanations))
    group = _Groups(uow)
    machines = uow.reserve(
        [
            Reservation(
                plan,
                why,
                group.zone(request.zone),
                group.pool(request.resource_pool),
                composed_tags(request.tags, snapshot.host_by_id[plan.host_id].host.tags),
            )
            for plan, why, request in zip(plans, explanations, run.input.batch.machines, strict=True)
        ]
    )
    _set_domains(uow, run.input.batch, machines)
    hosts = (snapshot.host_by_id[plan.host_id].host for plan in plans)
    run.kept[read_placed] = placed = list(zip(machines, hosts, strict=True))
    run.kept[read_wants] = _wants_of(snapshot, placed)


def _set_domains(uow: UnitOfWork, batch: ComposeBatch, machines: Sequence[Machine]) -> None:
    """Machines are reserved in the default domain; those that are wanted elsewhere move there."""
    for machine, request in zip(machines, batch.machines, strict=True):
        if request.domain is not None:
            node = uow.nodes.get(machine.system_id)
            wanted = _named(uow.domains, DomainId, request.domain).id
            if node.domain_id != wanted:
                uow.nodes.update(replace(node, domain_id=wanted))


def _decide_on_chosen(run: Run[ComposeInput], snapshot: Snapshot) -> JointDecision:
    """What the request leads to, if to the chosen hosts; else what it leads to on these."""
    batch, identities = run.input.batch, run.input.identities
    chosen = run.output(OBSERVE).hosts
    free = decide_batch(snapshot, batch, identities)
    if free.refused_at is None and hosts_of(free.plans) == chosen:
        return free
    bound = decide_batch(snapshot, on_hosts(batch, chosen), identities)
    if bound.refused_at is not None and batch.machines[bound.refused_at].host is None:
        raise StaleGeneration("host", chosen[bound.refused_at], "room for the machine", "none")
    plans_or_refuse(bound, identities)
    return bound


class _Groups:
    """Zones and resource pools by name or id; each is looked up once."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._zones: dict[str, ZoneId] = {}
        self._pools: dict[str, ResourcePoolId] = {}

    def zone(self, key: str | None) -> ZoneId | None:
        """Its id; None = not asked for."""
        if key is not None and key not in self._zones:
            self._zones[key] = _named(self._uow.zones, ZoneId, key).id
        return None if key is None else self._zones[key]

    def pool(self, key: str | None) -> ResourcePoolId | None:
        """Its id; None = not asked for."""
        if key is not None and key not in self._pools:
            self._pools[key] = _named(self._uow.resource_pools, ResourcePoolId, key).id
        return None if key is None else self._pools[key]


def _named(things: Repository[T, K], make_id: Callable[[int], K], key: str) -> T:
    """By name or id; NotFound for one that is gone since the request was taken."""
    found = things.find(key)
    if found is None and not (key.isascii() and key.isdigit()):
        raise NotFound("group", key)
    return found if found is not None else things.get(make_id(int(key)))


def choose_again(run: Run[ComposeInput]) -> None:
    """A host filled up, or changed, since it was chosen: choose and re-read once more."""
    run.outputs[OBSERVE.name] = observe(run)


def read_placed(run: Run[ComposeInput]) -> Sequence[tuple[Machine, Host]]:
    """The machines and their hosts: what a hypervisor needs of them stays as it was reserved."""
    with run.ports.store.begin() as uow:
        machines = uow.machines.some([each.system_id for each in run.input.identities])
        if len(machines) != len(run.input.identities):
            raise NotFound("machine", run.input.identities[0].hostname)
        hosts = {each.host_id: uow.hosts.get(each.host_id) for each in machines if each.host_id is not None}
    return [(each, hosts[each.host_id]) for each in machines if each.host_id is not None]


def is_reserved(run: Run[ComposeInput]) -> bool:
    """Whether the machines are recorded: they are not where a process died between two reservations."""
    with run.ports.store.begin() as uow:
        keys = [identities.system_id for identities in run.input.identities]
        return len(uow.machines.some(keys)) == len(keys)


def read_wants(run: Run[ComposeInput]) -> Mapping[SystemId, Sequence[NicWants]]:
    """What is to be proven of the machines' NICs."""
    with run.ports.store.begin() as uow:
        return _wants_of(uow.snapshot(), run.once(read_placed))


def _wants_of(
    snapshot: Snapshot, placed: Sequence[tuple[Machine, Host]]
) -> Mapping[SystemId, Sequence[NicWants]]:
    return {machine.system_id: wants_of(snapshot, host, machine) for machine, host in placed}


def release(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Give everything back."""
    uow.release([each.system_id for each in run.input.identities])


OBSERVE = Step[ComposeInput, ChosenHosts]("observe", ChosenHosts, do=observe)
