"""Compose: from a request to a running machine, its address reserved and published."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from hostloom.decide.check import check
from hostloom.decide.compose import decide
from hostloom.decide.explain_words import render_refusal
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors import NotFound, Refused, StaleGeneration
from hostloom.model.event import Event
from hostloom.model.host import Host
from hostloom.model.ids import ResourcePoolId, ZoneId
from hostloom.model.machine import Machine, MachineState, PowerState, check_transition
from hostloom.model.plan import Decision, Plan
from hostloom.model.request import ComposeRequest, Identities
from hostloom.ports import Hypervisor, Repository, UnitOfWork
from hostloom.workflows.hosts import host_of, refresh_now, spec_of
from hostloom.workflows.publish import publish_dhcp
from hostloom.workflows.saga import Run, Saga, Step
from hostloom.workflows.verify import Verified, verify_machine

T = TypeVar("T")
K = TypeVar("K")

#: Hosts that are tried, each re-read first, before a request that leaves the host open gives up.
HOST_ATTEMPTS = 5


@dataclass(frozen=True)
class ComposeInput:
    """The request, and everything random about the machine, drawn before the operation was recorded."""

    request: ComposeRequest
    identities: Identities


@dataclass(frozen=True)
class ChosenHost:
    """The host that was re-read and still is the right one."""

    host: str


def plan_or_refuse(decision: Decision) -> Plan:
    """The plan, or Refused with its code, its words and the explanation."""
    if decision.plan is not None:
        return decision.plan
    refusal = decision.explanation.refusal
    if refusal is None:
        raise AssertionError("a decision without plan has a refusal")
    raise Refused(refusal.code, render_refusal(refusal), decision.explanation)


def decide_checked(snapshot: Snapshot, request: ComposeRequest, identities: Identities) -> Decision:
    """Decide, and have the independent checker look at the plan."""
    decision = decide(snapshot, request, identities)
    if decision.plan is not None and (wrong := check(snapshot, request, decision.plan)):
        raise AssertionError(f"the plan breaks the rules: {'; '.join(wrong)}")
    return decision


def _observe(run: Run[ComposeInput]) -> ChosenHost:
    """Re-read the host that the request leads to; if that leads elsewhere, re-read that one."""
    seen: set[str] = set()
    for _ in range(HOST_ATTEMPTS):
        with run.ports.store.begin() as uow:
            plan = plan_or_refuse(decide(uow.snapshot(), run.input.request, run.input.identities))
        if plan.host_name in seen:
            return ChosenHost(plan.host_name)
        refresh_now(run.ports, plan.host_name)
        seen.add(plan.host_name)
    return ChosenHost(plan.host_name)


def _reserve(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Decide once more inside the reserving transaction, on the host that was just re-read."""
    snapshot = uow.snapshot()
    request = replace(run.input.request, host=run.output(OBSERVE).host)
    decision = decide_checked(snapshot, request, run.input.identities)
    if decision.plan is None and run.input.request.host is None:
        raise StaleGeneration("host", run.output(OBSERVE).host, "room for the machine", "none")
    plan = plan_or_refuse(decision)
    machine = uow.reserve(plan, decision.explanation)
    run.kept[_read_placed] = (machine, snapshot.host_by_id[plan.host_id].host)
    _group(uow, machine, run.input.request)


def _group(uow: UnitOfWork, machine: Machine, request: ComposeRequest) -> None:
    """Put the machine where the request says; what it leaves open stays as its host has it."""
    zone = _named(uow.zones, ZoneId, request.zone)
    pool = _named(uow.resource_pools, ResourcePoolId, request.resource_pool)
    grouped = replace(
        machine,
        zone_id=zone.id if zone is not None else machine.zone_id,
        resource_pool_id=pool.id if pool is not None else machine.resource_pool_id,
        tags=request.tags or machine.tags,
    )
    if grouped != machine:
        uow.machines.update(grouped)


def _named(things: Repository[T, K], make_id: Callable[[int], K], key: str | None) -> T | None:
    """By name or id; NotFound for one that is gone since the request was taken."""
    if key is None:
        return None
    found = things.find(key)
    if found is None and not (key.isascii() and key.isdigit()):
        raise NotFound("group", key)
    return found if found is not None else things.get(make_id(int(key)))


def _choose_again(run: Run[ComposeInput]) -> None:
    """The host filled up, or changed, since it was chosen: choose and re-read once more."""
    run.outputs[OBSERVE.name] = _observe(run)


def _read_placed(run: Run[ComposeInput]) -> tuple[Machine, Host]:
    """The machine and its host: what a hypervisor needs of them stays as it was reserved."""
    with run.ports.store.begin() as uow:
        machine = uow.machines.get(run.input.identities.system_id)
    return machine, host_of(run.ports, machine)


def _on_host(run: Run[ComposeInput]) -> tuple[Machine, Hypervisor]:
    machine, host = run.once(_read_placed)
    return machine, run.ports.hypervisors.of(host.name, host.uri)


def _release(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    uow.release(run.input.identities.system_id)


def _ensure_volumes(run: Run[ComposeInput]) -> None:
    machine, hypervisor = _on_host(run)
    for disk in machine.disks:
        hypervisor.ensure_volume(disk)


def _delete_volumes(run: Run[ComposeInput]) -> None:
    machine, hypervisor = _on_host(run)
    for disk in machine.disks:
        hypervisor.delete_volume(disk)


def _ensure_machine(run: Run[ComposeInput]) -> None:
    machine, host = run.once(_read_placed)
    run.ports.hypervisors.of(host.name, host.uri).ensure_machine(spec_of(host, machine))


def _delete_machine(run: Run[ComposeInput]) -> None:
    machine, hypervisor = _on_host(run)
    hypervisor.delete_machine(machine.uuid)


def _want_dhcp(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    _set_dhcp(run, uow, wanted=True)


def _unwant_dhcp(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    _set_dhcp(run, uow, wanted=False)


def _set_dhcp(run: Run[ComposeInput], uow: UnitOfWork, *, wanted: bool) -> None:
    uow.machines.move(run.input.identities.system_id, MachineState.COMMISSIONING, dhcp_published=wanted)


def _publish(run: Run[ComposeInput]) -> None:
    publish_dhcp(run.ports)


def _start(run: Run[ComposeInput]) -> None:
    if run.input.request.start:
        machine, hypervisor = _on_host(run)
        hypervisor.start(machine.uuid)


def _stop(run: Run[ComposeInput]) -> None:
    machine, hypervisor = _on_host(run)
    hypervisor.stop(machine.uuid, force=True)


def _verify(run: Run[ComposeInput]) -> Verified:
    machine, host = run.once(_read_placed)
    return verify_machine(run.ports, host, machine)


def _commit(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    identities = run.input.identities
    power = PowerState.ON if run.input.request.start else PowerState.OFF
    commissioning, ready = MachineState.COMMISSIONING, MachineState.READY
    check_transition(identities.hostname, commissioning, ready)
    uow.machines.move(identities.system_id, commissioning, state=ready, power=power)
    subject = f"machine {identities.hostname}"
    uow.events.add(Event("machine-composed", subject, "composed and ready", run.ports.clock.now()))


OBSERVE = Step[ComposeInput, ChosenHost]("observe", ChosenHost, do=_observe)
RESERVE = Step[ComposeInput, None]("reserve", rows=_reserve, stale=_choose_again, undo_rows=_release)
VOLUMES = Step[ComposeInput, None]("volumes", do=_ensure_volumes, undo=_delete_volumes)
DOMAIN = Step[ComposeInput, None]("domain", do=_ensure_machine, undo=_delete_machine)
DHCP = Step[ComposeInput, None]("dhcp", rows=_want_dhcp, do=_publish, undo_rows=_unwant_dhcp, undo=_publish)
POWER = Step[ComposeInput, None]("power", do=_start, undo=_stop)
VERIFY = Step[ComposeInput, Verified]("verify", Verified, do=_verify)
COMMIT = Step[ComposeInput, None]("commit", rows=_commit)

COMPOSE = Saga("compose", ComposeInput, (OBSERVE, RESERVE, VOLUMES, DOMAIN, DHCP, POWER, VERIFY, COMMIT))
