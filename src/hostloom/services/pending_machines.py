"""Machines of pending composes, and machines whose compose failed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import Principal
from hostloom.model.errors.resources import NotFound
from hostloom.model.host import Host
from hostloom.model.ids import DEFAULT_GROUP, ResourcePoolId, SystemId, ZoneId
from hostloom.model.machine import Machine, MachineOrigin, MachineState
from hostloom.model.operation import Operation, OperationState, StepState
from hostloom.model.request import Identities, ParsedBatch, ParsedRequest
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.compose import RESERVE
from hostloom.sagas.compose_with_image import COMPOSES
from hostloom.sagas.decisions import composed_tags, resolve_groups
from hostloom.sagas.placement import read_input
from hostloom.services.access import require_user

_FAILED = (
    OperationState.UNWINDING,
    OperationState.FAILED,
    OperationState.CANCELLED,
    OperationState.STUCK,
)
#: Placeholder for a machine without a chosen host.
_ARCHITECTURE = "amd64"


#: The number of operations that are searched for a failed compose.
RECENT = 500


@dataclass(frozen=True)
class FailedCompose:
    """A machine that a client was promised, but whose compose failed."""

    machine: Machine
    #: Why.
    error: str


def list_(uow: UnitOfWork, principal: Principal) -> list[Machine]:
    """Pending machines as their requests describe them, commissioning and still without NICs and disks."""
    require_user(principal, "see machines")
    compose_inputs = [
        read_input(operation) for operation in uow.operations.list(unfinished=True) if _is_promised(operation)
    ]
    pending = [
        pair
        for compose_input in compose_inputs
        for pair in zip(compose_input.identities, compose_input.batch.machines, strict=True)
    ]
    if not pending:
        return []
    reserved = {machine.system_id for machine in uow.machines.some([pair[0].system_id for pair in pending])}
    return _machines(uow, [pair for pair in pending if pair[0].system_id not in reserved])


def find_lost(uow: UnitOfWork, principal: Principal, key: SystemId) -> FailedCompose | None:
    """A machine whose compose failed, for clients that wait for it; None if the id is unknown.

    No record of such a machine exists: its compose was undone, or its operation is stuck.
    """
    require_user(principal, "see machines")
    recent = (operation for saga in COMPOSES for operation in uow.operations.list(limit=RECENT, saga=saga))
    for operation in recent:
        if operation.state in _FAILED:
            compose_input = read_input(operation)
            for pair in zip(compose_input.identities, compose_input.batch.machines, strict=True):
                if pair[0].system_id == key:
                    (machine,) = _machines(uow, [pair])
                    failed = replace(machine, state=MachineState.FAILED_COMMISSIONING)
                    return FailedCompose(failed, operation.error or operation.state.value)
    return None


def _machines(uow: UnitOfWork, requests: Sequence[tuple[Identities, ParsedRequest]]) -> list[Machine]:
    world = uow.snapshot()
    return [_machine(world, identities, _in_groups(uow, request)) for identities, request in requests]


def _in_groups(uow: UnitOfWork, request: ParsedRequest) -> ParsedRequest:
    """The request with the ids of its groups; deleted groups are omitted."""
    try:
        return resolve_groups(uow, ParsedBatch((request,))).machines[0]
    except NotFound:
        return replace(request, zone_id=None, resource_pool_id=None)


def _is_promised(operation: Operation) -> bool:
    return (
        operation.saga in COMPOSES
        and operation.state in (OperationState.PENDING, OperationState.RUNNING)
        and not any(step.name == RESERVE.name and step.state is StepState.DONE for step in operation.steps)
    )


def _machine(world: Snapshot, identities: Identities, request: ParsedRequest) -> Machine:
    host = _host(world, request.host)
    architectures = host.architectures if host else ()
    defaults = ZoneId(DEFAULT_GROUP), ResourcePoolId(DEFAULT_GROUP)
    groups = (host.zone_id, host.resource_pool_id) if host else defaults
    return Machine(
        identities.system_id,
        identities.hostname,
        identities.uuid,
        MachineOrigin.COMPOSED,
        MachineState.COMMISSIONING,
        host.id if host else None,
        (request.architecture or next(iter(architectures), _ARCHITECTURE)).partition("/")[0],
        request.cores,
        request.memory_mib,
        netboot=request.netboot,
        zone_id=groups[0] if request.zone_id is None else request.zone_id,
        resource_pool_id=groups[1] if request.resource_pool_id is None else request.resource_pool_id,
        tags=composed_tags(request.tags, host.tags) if host else request.tags,
    )


def _host(world: Snapshot, key: str | None) -> Host | None:
    return next((host.host for host in world.hosts if key in (host.host.name, str(host.host.id))), None)
