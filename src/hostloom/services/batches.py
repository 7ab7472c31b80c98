"""Batches: generates and checks names and identities in advance."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import check_hostname
from hostloom.model.operation import Operation
from hostloom.model.request import MAX_BATCH, ComposeRequest, Identities, ParsedBatch
from hostloom.ports.context import Ports
from hostloom.sagas.placement import read_input


def copies(request: ComposeRequest, count: int) -> tuple[ComposeRequest, ...]:
    """`count` machines like it; a name is numbered: web-1, web-2, …"""
    if count == 1 or request.hostname is None:
        return (request,) * count
    return tuple(replace(request, hostname=f"{request.hostname}-{n}") for n in range(1, count + 1))


def draw(ports: Ports, batch: ParsedBatch) -> tuple[Identities, ...]:
    """The random identifiers of each machine."""
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
    """Raise if the machine cannot have the name."""
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


def subject_of(identities: Sequence[Identities]) -> str:
    """What an operation or plan is about: `machine web`, `machines web-1 … web-3`."""
    names = [identity.hostname for identity in identities]
    if len(names) == 1:
        return f"machine {names[0]}"
    return f"machines {names[0]} … {names[-1]}" if len(names) > 2 else f"machines {names[0]}, {names[1]}"
