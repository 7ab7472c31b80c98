"""Compose: places machines, reserves and publishes their addresses, creates and starts them; all or none."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineState, PowerState, check_transition
from hostloom.ports.hypervisor import Hypervisor
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.publish_dhcp import publish_dhcp
from hostloom.recording.host_readings import spec_of
from hostloom.sagas.nic_proofs import MachineProof, look, prove_machine, require_attached, wire_event
from hostloom.sagas.placement import (
    OBSERVE,
    ComposeInput,
    choose_again,
    read_placed,
    read_wants,
    release,
    reserve,
)
from hostloom.sagas.saga import Run, Saga, Step, for_each_host
from hostloom.sagas.taken_addresses import ask_beside, require_free, settle_addresses


@dataclass(frozen=True)
class Verdicts:
    """The number of NICs by result of the proof; the proofs themselves are stored with the machines."""

    nics: dict[str, int]


def on_hosts(
    run: Run[ComposeInput], act: Callable[[Hypervisor, Host, Machine], None], *, to_the_end: bool = False
) -> None:
    """Act on every machine, in parallel on all hosts."""

    def on_host(host: Host, machines: Iterator[Machine]) -> None:
        hypervisor = run.ports.hypervisors.of(host.name, host.uri)
        for machine in machines:
            act(hypervisor, host, machine)

    for_each_host(run, _by_host(run), on_host, to_the_end=to_the_end)


def _by_host(run: Run[ComposeInput]) -> dict[Host, list[Machine]]:
    groups: dict[int, tuple[Host, list[Machine]]] = {}
    for machine, host in run.once(read_placed):
        groups.setdefault(host.id, (host, []))[1].append(machine)
    return dict(groups.values())


def _ensure_volumes(run: Run[ComposeInput]) -> None:
    def ensure(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        for disk in machine.disks:
            hypervisor.volumes.ensure(disk)

    on_hosts(run, ensure)


def delete_volumes(run: Run[ComposeInput]) -> None:
    """Delete all disks of all machines."""

    def delete(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        for disk in machine.disks:
            hypervisor.volumes.delete(disk)

    on_hosts(run, delete, to_the_end=True)


def _ensure_machines(run: Run[ComposeInput]) -> None:
    on_hosts(run, lambda hypervisor, host, machine: hypervisor.ensure_machine(spec_of(host, machine)))


def _delete_machines(run: Run[ComposeInput]) -> None:
    on_hosts(run, lambda hypervisor, _, machine: hypervisor.delete_machine(machine.uuid), to_the_end=True)


def _want_dhcp(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    _set_dhcp(run, uow, enabled=True)


def _unwant_dhcp(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    _set_dhcp(run, uow, enabled=False)


def _set_dhcp(run: Run[ComposeInput], uow: UnitOfWork, *, enabled: bool) -> None:
    keys = [identity.system_id for identity in run.input.identities]
    uow.machines.move(keys, MachineState.COMMISSIONING, dhcp_published=enabled)


def _publish(run: Run[ComposeInput]) -> None:
    vlans = {
        nic.vlan_id
        for machine, _ in run.once(read_placed)
        for nic in machine.interfaces
        if nic.vlan_id is not None
    }
    publish_dhcp(run.ports, vlans)


def _withdraw(run: Run[ComposeInput]) -> None:
    # A server that is down assigns no addresses, and gets the stored state when it is back.
    publish_dhcp(run.ports, ())


def _start(run: Run[ComposeInput]) -> None:
    require_free(run)
    names = {
        identities.system_id
        for identities, request in zip(run.input.identities, run.input.batch.machines, strict=True)
        if request.start
    }

    def start(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        if machine.system_id in names:
            hypervisor.start(machine.uuid, machine.system_id)

    on_hosts(run, start)


def _stop(run: Run[ComposeInput]) -> None:
    def stop(hypervisor: Hypervisor, _: Host, machine: Machine) -> None:
        hypervisor.stop(machine.uuid, machine.system_id, force=True)

    on_hosts(run, stop, to_the_end=True)


def _verify(run: Run[ComposeInput]) -> Verdicts:
    proofs = run.keep(_prove, _prove(run))
    verdicts = Counter(nic.verdict for machine in proofs for nic in machine.proofs)
    return Verdicts({str(verdict): count for verdict, count in verdicts.items()})


def _prove(run: Run[ComposeInput]) -> list[MachineProof]:
    """Prove all NICs; HypervisorRejected if one is not attached as planned."""
    answers, expectations = run.once(ask_beside), run.once(read_wants)

    def prove_on(host: Host, machines: Iterator[Machine]) -> list[MachineProof]:
        group = list(machines)
        machine_proofs = [
            prove_machine(run.ports, host, machine, nic_observation, expectations, answers, {})
            for machine, nic_observation in zip(group, look(run.ports, host, group), strict=True)
        ]
        for machine, proof in zip(group, machine_proofs, strict=True):
            require_attached(host, machine, proof)
        return machine_proofs

    return [
        machine_proof
        for machine_proofs in for_each_host(run, _by_host(run), prove_on)
        for machine_proof in machine_proofs
    ]


def commit(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """The machines are ready, or allocated to the users that they were composed for."""
    commissioning, ready = MachineState.COMMISSIONING, MachineState.READY
    pairs = list(zip(run.input.identities, run.input.batch.machines, strict=True))
    check_transition(pairs[0][0].hostname, commissioning, ready)
    for power, is_started in ((PowerState.ON, True), (PowerState.OFF, False)):
        if keys := [identities.system_id for identities, request in pairs if request.start is is_started]:
            uow.machines.move(keys, commissioning, state=ready, power=power)
    _hand_over(run, uow)
    now = run.ports.clock.now()
    kind, text = EventKind.MACHINE_COMPOSED, "composed and ready"
    proofs = {machine_proof.system_id: machine_proof.proofs for machine_proof in run.once(_prove)}
    uow.proofs.record(proofs)
    events = (
        wire_event(machine_subject(identities), proofs[identities.system_id], now) for identities, _ in pairs
    )
    composed = (Event(kind, machine_subject(identities), text, now) for identities, _ in pairs)
    uow.events.add(*composed, *filter(None, events))


def _hand_over(run: Run[ComposeInput], uow: UnitOfWork) -> None:
    """Assign machines that were composed for a user to that user."""
    owned: dict[str, list[SystemId]] = {}
    for identities, request in zip(run.input.identities, run.input.batch.machines, strict=True):
        if request.owner:
            owned.setdefault(request.owner, []).append(identities.system_id)
    for owner, keys in owned.items():
        allocated = MachineState.ALLOCATED
        uow.machines.move(keys, MachineState.READY, state=allocated, owner=owner, on_demand=True)


RESERVE = Step[ComposeInput, None](
    "reserve", rows=reserve, stale=choose_again, do=settle_addresses, undo_rows=release
)
VOLUMES = Step[ComposeInput, None]("volumes", do=_ensure_volumes, undo=delete_volumes)
DOMAIN = Step[ComposeInput, None]("domain", do=_ensure_machines, undo=_delete_machines)
DHCP = Step[ComposeInput, None]("dhcp", rows=_want_dhcp, do=_publish, undo_rows=_unwant_dhcp, undo=_withdraw)
POWER = Step[ComposeInput, None]("power", do=_start, undo=_stop)
VERIFY = Step[ComposeInput, Verdicts]("verify", Verdicts, do=_verify)
COMMIT = Step[ComposeInput, None]("commit", rows=commit)

COMPOSE = Saga("compose", ComposeInput, (OBSERVE, RESERVE, VOLUMES, DOMAIN, DHCP, POWER, VERIFY, COMMIT))
