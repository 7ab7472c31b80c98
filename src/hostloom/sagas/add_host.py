"""Add a host: pin its key, read it, and record it with its node."""

from dataclasses import dataclass, replace

from hostloom.decide.hosts.correlation import uri_host
from hostloom.model.errors.outside import HostKeyUnknown
from hostloom.model.event import Event, host_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import CorrelationEvidence, Host
from hostloom.model.node import Node
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import observe
from hostloom.recording.observation import Observation
from hostloom.recording.record import record_new_host
from hostloom.sagas.decisions import ensure_composed_tags
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class AddHostInput:
    """The host as described by the user; `host.id` is 0 or the id that it should get."""

    host: Host
    #: Fingerprint of the SSH key that the user accepted; empty if none is needed or it is pinned.
    accept_key: str
    #: Create the node from the host's interfaces if no known node matches.
    adopt: bool
    #: The host is already recorded, for clients that need its id before it is read.
    recorded: bool = False


def _pin(run: Run[AddHostInput]) -> None:
    host = run.input.host
    if not run.input.accept_key or run.ports.keys.pinned(host.uri) == run.input.accept_key:
        # Another host or rack may have pinned the key; from now on this host also needs it.
        run.ports.keys.retain(host.uri)
        return
    offered = run.ports.keys.offered(host.uri)
    for key in offered:
        if key.fingerprint == run.input.accept_key:
            run.ports.keys.pin(host.uri, key)
            return
    raise HostKeyUnknown(host.name, ", ".join(key.fingerprint for key in offered))


def _unpin(run: Run[AddHostInput]) -> None:
    uri = run.input.host.uri
    run.ports.hypervisors.forget(uri)
    with run.ports.store.begin() as uow:
        is_in_use = any(host.uri == uri for host in uow.hosts.list())
    if not is_in_use:
        run.ports.keys.release(uri)


def _observe(run: Run[AddHostInput]) -> Observation:
    return observe(run.ports, run.input.host.name, run.input.host.uri)


def _record(run: Run[AddHostInput], uow: UnitOfWork) -> None:
    key = run.ports.keys.pinned(run.input.host.uri) or ""
    if run.input.recorded:
        # Found by id, because a client may have renamed the host meanwhile. NotFound: it was deleted
        # meanwhile.
        host = uow.hosts.get(run.input.host.id)
        if host.uri != run.input.host.uri:
            # Its URI was changed meanwhile, so the host is read at the new URI.
            return
        host = uow.hosts.update(replace(host, host_key=key))
    elif uow.hosts.find(run.input.host.name) is not None:
        return
    else:
        host = uow.hosts.add(replace(run.input.host, host_key=key))
    ensure_composed_tags(uow)
    host = record_new_host(uow, run.ports, host, run.output(OBSERVE), adopt=run.input.adopt)
    message = _message(host, uow.snapshot().node_of(host))
    uow.events.add(Event(EventKind.HOST_ADDED, host_subject(host), message, run.ports.clock.now()))


def _message(host: Host, node: Node | None) -> str:
    place = uri_host(host.uri) or host.uri
    if node is None:
        return f"added at {place}; its node is unknown"
    is_new = host.correlation.evidence is CorrelationEvidence.ADOPTED
    return f"added at {place} as {'new ' if is_new else ''}node {node.hostname}"


def _forget(run: Run[AddHostInput], uow: UnitOfWork) -> None:
    """Delete the row of a host that could not be read, unless it was read meanwhile."""
    if not run.input.recorded:
        return
    host = next((host for host in uow.hosts.list() if host.id == run.input.host.id), None)
    if host is not None and host.facts_at is None:
        uow.hosts.delete(host.id)


PIN = Step[AddHostInput, None]("key", do=_pin, undo_rows=_forget, undo=_unpin)
OBSERVE = Step[AddHostInput, Observation]("observe", Observation, do=_observe)
RECORD = Step[AddHostInput, None]("record", rows=_record)

ADD_HOST = Saga("add-host", AddHostInput, (PIN, OBSERVE, RECORD))
