"""Machines that are wanted together: their names and identities, drawn and checked beforehand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hostloom.codec import from_json
from hostloom.decide.compose import labels_needed
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors import AlreadyExists, InvalidValue
from hostloom.model.ids import check_hostname
from hostloom.model.operation import Operation
from hostloom.model.request import MAX_BATCH, ComposeBatch, ComposeRequest, Identities
from hostloom.ports import Ports, UnitOfWork
from hostloom.services.groupings import domain_id, resource_pool_id, zone_id
from hostloom.workflows.placing import ComposeInput


def copies(request: ComposeRequest, count: int) -> tuple[ComposeRequest, ...]:
    """`count` machines like it; a name is numbered: web-1, web-2, …"""
    if count == 1 or request.hostname is None:
        return (request,) * count
    return tuple(replace(request, hostname=f"{request.hostname}-{n}") for n in range(1, count + 1))


def draw(ports: Ports, batch: ComposeBatch) -> tuple[Identities, ...]:
    """Everything random about each machine."""
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
            macs=tuple(ports.ids.mac() for _ in range(labels_needed(request))),
            at=now,
        )
        for request in batch.machines
    )


def placed(uow: UnitOfWork, batch: ComposeBatch) -> ComposeBatch:
    """The batch with zones and resource pools looked up, where they say which hosts come into question."""
    return replace(batch, machines=tuple(_placed(uow, request) for request in batch.machines))


def _placed(uow: UnitOfWork, request: ComposeRequest) -> ComposeRequest:
    if request.host is not None:
        return request
    zone = None if request.zone is None else zone_id(uow, request.zone)
    pool = None if request.resource_pool is None else resource_pool_id(uow, request.resource_pool)
    return replace(request, in_zone=zone, in_resource_pool=pool)


def check(uow: UnitOfWork, snapshot: Snapshot, batch: ComposeBatch, identities: Sequence[Identities]) -> None:
    """Raise what is wrong whatever the hosts are: groups that do not exist, names that cannot be given."""
    for zone in {each.zone for each in batch.machines}:
        zone_id(uow, zone)
    for pool in {each.resource_pool for each in batch.machines}:
        resource_pool_id(uow, pool)
    for domain in {machine.domain for machine in batch.machines if machine.domain is not None}:
        domain_id(uow, domain)
    taken = {node.hostname.lower() for node in snapshot.nodes}
    counts = Counter(identity.hostname.lower() for identity in identities)
    for name in (identity.hostname for identity in identities):
        check_hostname(name)
        if counts[name.lower()] > 1:
            raise InvalidValue(
                "hostname", name, "is given to two machines of the request", "give each machine its own name"
            )
        if name.lower() in taken:
            raise AlreadyExists("node", name)


def names_of(operation: Operation) -> list[str]:
    """The names of the machines that a compose makes."""
    return [each.hostname for each in from_json(operation.input, ComposeInput).identities]


def subject_of(identities: Sequence[Identities]) -> str:
    """What an operation or plan is about: `machine web`, `machines web-1 … web-3`."""
    names = [each.hostname for each in identities]
    if len(names) == 1:
        return f"machine {names[0]}"
    return f"machines {names[0]} … {names[-1]}" if len(names) > 2 else f"machines {names[0]}, {names[1]}"
