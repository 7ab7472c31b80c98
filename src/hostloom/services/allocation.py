"""Allocation: gives a user an existing machine, or composes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hostloom.decide.explain.reason_texts import refused
from hostloom.decide.machines.allocation import allocate as decide
from hostloom.decide.request.resolve import parse_batch
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.access import LOCAL_ADMIN, Principal
from hostloom.model.allocation import Allocation, AllocationRequest
from hostloom.model.annotation import Annotated
from hostloom.model.errors.refusals import NothingFits, Refused
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineState
from hostloom.model.operation import Operation
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.compose import COMPOSE
from hostloom.sagas.compose_with_image import COMPOSES
from hostloom.sagas.decisions import decide_batch, hosts_of, in_time, on_hosts, plans_or_refuse
from hostloom.sagas.placement import ComposeInput
from hostloom.sagas.saga import start_saga
from hostloom.services import annotations
from hostloom.services.access import require_user
from hostloom.services.machines import batch_subject, draw_identities

#: Maximum number of names of one kind in a request.
MAX_VALUES = 64


@dataclass(frozen=True)
class Given:
    """The result of an allocation."""

    system_id: SystemId
    #: The NICs and disks that match each label; None: the machine does not exist yet.
    matches: Allocation | None
    #: The operation that composes the machine.
    operation: Operation | None = None


def allocate(
    ports: Ports, principal: Principal, constraints: AllocationRequest, *, dry_run: bool = False
) -> Given:
    """Allocate the smallest free machine that fits, or compose one.

    NothingFits if neither is possible; Refused for unknown names. A dry run neither changes nor composes
    anything.
    """
    require_user(principal, "allocate machines")
    _check_lists(constraints)
    with ports.store.begin() as uow:
        snapshot = uow.snapshot()
        with in_time():
            allocation = decide(snapshot, uow.machines.list(), constraints)
        if allocation.refusal is not None:
            raise refused(allocation.refusal)
        if allocation.system_id is not None:
            if not dry_run:
                _give(uow, ports, principal, allocation.system_id)
            return Given(allocation.system_id, allocation)
        reasons = [f"{count} {misfit}" for misfit, count in allocation.misfits.items()]
        _check_quota(uow, ports.settings, principal, reasons)
        compose_input = _on_demand(
            ports, snapshot, _request(principal, constraints, reasons), constraints, reasons
        )
        if dry_run:
            host = compose_input.batch.machines[0].host
            raise NothingFits([*reasons, f"one could be composed on host {host}, which a dry run does not"])
        subject = batch_subject(compose_input.identities)
        operation = start_saga(uow, ports, principal, COMPOSE, compose_input, subject)
        uow.commit()
    return Given(compose_input.identities[0].system_id, None, operation)


def keep_with(uow: UnitOfWork, token: Given, notes: Mapping[str, Any]) -> None:
    """Store the client's data for its new machine, whose owner may not be recorded yet."""
    annotations.merge(uow, LOCAL_ADMIN, Annotated.NODE, token.system_id, notes)


def matches_of(uow: UnitOfWork, machine: Machine, constraints: AllocationRequest) -> Allocation:
    """The NICs and disks of a machine that match each label, whatever its state."""
    labels = AllocationRequest(interfaces=constraints.interfaces, storage=constraints.storage)
    ready = replace(machine, state=MachineState.READY, locked=False)
    return decide(uow.snapshot(), [ready], labels)


def _check_lists(constraints: AllocationRequest) -> None:
    """InvalidValue for too many names of one kind."""
    for name in ("tags", "not_tags", "not_zones", "not_resource_pools", "nics"):
        values = getattr(constraints, name)
        if len(values) > MAX_VALUES:
            raise InvalidValue(name, None, f"has {len(values)} values", f"give at most {MAX_VALUES}")


def _check_quota(
    uow: UnitOfWork, settings: ServiceSettings, principal: Principal, reasons: Sequence[str]
) -> None:
    """NothingFits for a user who has reached the limit of machines on demand; administrators have none."""
    if principal.admin:
        return
    machine_count = sum(
        machine.on_demand and machine.owner == principal.name for machine in uow.machines.list()
    )
    operations = uow.operations.list(unfinished=True)
    machine_count += sum(
        operation.saga in COMPOSES and operation.requested_by == principal.name for operation in operations
    )
    if machine_count >= settings.max_on_demand_per_user:
        limit = f"the limit of a user is {settings.max_on_demand_per_user}"
        raise NothingFits(
            [*reasons, f"{machine_count} were composed for {principal.name} on demand, and {limit}"]
        )


def _give(uow: UnitOfWork, ports: Ports, principal: Principal, key: SystemId) -> None:
    machine = uow.machines.get(key)
    uow.machines.update(replace(machine, state=MachineState.ALLOCATED, owner=principal.name))
    message = f"allocated to {principal.name}"
    uow.events.add(Event(EventKind.MACHINE_ALLOCATED, machine_subject(machine), message, ports.clock.now()))
    uow.commit()


def _request(principal: Principal, constraints: AllocationRequest, reasons: Sequence[str]) -> ComposeRequest:
    """The compose request; NothingFits for properties that only an existing machine can have."""
    if (
        constraints.hostname
        or constraints.system_id
        or constraints.nics
        or constraints.tags
        or constraints.on_host is False
    ):
        words = "a request for a name, tags or networks by filter composes no machine"
        raise NothingFits([*reasons, words])
    return ComposeRequest(
        interfaces=constraints.interfaces,
        storage=constraints.storage,
        cores=constraints.cores or 1,
        memory_mib=constraints.memory_mib or ComposeRequest().memory_mib,
        architecture=constraints.architecture or None,
        owner=principal.name,
    )


def _on_demand(
    ports: Ports,
    snapshot: Snapshot,
    request: ComposeRequest,
    constraints: AllocationRequest,
    reasons: Sequence[str],
) -> ComposeInput:
    """The request on the best of the permitted hosts; NothingFits if it fits on none."""
    hosts = tuple(host for host in snapshot.hosts if _may_serve(host, constraints))
    if not hosts:
        raise NothingFits([*reasons, "there is no host on which one may be composed"])
    systems = {host.host.correlation.system_id for host in hosts}
    nodes = tuple(node for node in snapshot.nodes if node.system_id in systems)
    few = snapshot if len(hosts) == len(snapshot.hosts) else snapshot.only(hosts, nodes)
    batch = parse_batch(ComposeBatch((request,)))
    identities = draw_identities(ports, batch)
    joint_decision = decide_batch(few, batch, identities)
    try:
        plans = plans_or_refuse(joint_decision, identities)
    except Refused as no:
        raise NothingFits([*reasons, f"none can be composed: {no}"]) from no
    chosen = hosts_of(plans)
    return ComposeInput(on_hosts(batch, chosen), identities, hosts=chosen, revision=few.revision)


def _may_serve(state: HostState, constraints: AllocationRequest) -> bool:
    host = state.host
    return (
        constraints.host in (None, host.id)
        and (constraints.not_host is None or host.id != constraints.not_host)
        and constraints.zone in (None, host.zone_id)
        and host.zone_id not in constraints.not_zones
        and constraints.resource_pool in (None, host.resource_pool_id)
        and host.resource_pool_id not in constraints.not_resource_pools
    )
