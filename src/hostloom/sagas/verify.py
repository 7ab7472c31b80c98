"""Verify: proves from host and wire that machines are attached, addressed and reachable as planned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hostloom.decide.machines.nic_expectations import NicExpectation, VerificationReason, expectations_of
from hostloom.decide.machines.nic_verification import NicObservation, unseen
from hostloom.model.dhcp_exchange import MessageKind
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostUnreachable
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine
from hostloom.model.network import Address, AddressKind
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.nic_proofs import (
    Leased,
    MachineProof,
    Wants,
    WireAnswers,
    ask_wire,
    look,
    prove_machine,
    wire_event,
)
from hostloom.sagas.saga import Run, Saga, Step, for_each_host

#: Time limit for answers; a busy or emulated guest is slow.
LISTEN_S = 1.0
#: Number of DHCP messages that are examined for every NIC.
MESSAGES_A_NIC = 20


@dataclass(frozen=True)
class VerifyInput:
    """The machines."""

    machines: tuple[SystemId, ...]


@dataclass(frozen=True)
class Verified:
    """The results by machine."""

    machines: tuple[MachineProof, ...]


@dataclass(frozen=True)
class _Known:
    """Data from the records."""

    by_host: Mapping[Host, Sequence[Machine]]
    wants: Wants
    leased: Leased


def _read(run: Run[VerifyInput]) -> _Known:
    by_host: dict[Host, list[Machine]] = {}
    expectations: dict[SystemId, Sequence[NicExpectation]] = {}
    with run.ports.store.begin() as uow:
        snapshot = uow.snapshot()
        machines = uow.machines.some(run.input.machines)
        for machine in machines:
            if machine.host_id is not None and machine.host_id in snapshot.host_by_id:
                host = snapshot.host_by_id[machine.host_id].host
                by_host.setdefault(host, []).append(machine)
                expectations[machine.system_id] = expectations_of(snapshot, host, machine)
        leases = [address for address in snapshot.held if address.kind is AddressKind.LEASE]
        leased = _acknowledged(uow, machines)
    for lease in leases:
        if lease.system_id is not None and lease.interface_name is not None:
            leased.setdefault((SystemId(lease.system_id), lease.interface_name), set()).add(lease.ip)
    return _Known(by_host, expectations, leased)


def _acknowledged(uow: UnitOfWork, machines: Sequence[Machine]) -> dict[tuple[SystemId, str], set[Address]]:
    """Planned addresses that a DHCP server has assigned, according to observed messages."""
    nics = {nic.mac: (machine.system_id, nic) for machine in machines for nic in machine.interfaces}
    addresses: dict[tuple[SystemId, str], set[Address]] = {}
    for message in uow.dhcp_messages.of(list(nics), MESSAGES_A_NIC * len(nics)):
        system_id, nic = nics[message.mac]
        gives = message.kind in (MessageKind.ACK, MessageKind.REPLY)
        if gives and message.ip is not None and message.ip in nic.ips:
            addresses.setdefault((system_id, nic.name), set()).add(message.ip)
    return addresses


def _verify(run: Run[VerifyInput]) -> Verified:
    world = _read(run)
    observations = _look_at_all(run, world.by_host)
    expectations = {
        host: [want for machine in machines for want in world.wants[machine.system_id]]
        for host, machines in world.by_host.items()
        if not isinstance(observations[host], str)
    }
    answers = ask_wire(run, expectations, LISTEN_S)
    machine_proofs = [
        proof
        for host, machines in world.by_host.items()
        for proof in _prove_host(run, host, machines, observations[host], world, answers)
    ]
    return Verified(tuple(machine_proofs))


def _look_at_all(
    run: Run[VerifyInput], by_host: Mapping[Host, Sequence[Machine]]
) -> dict[Host, list[NicObservation] | str]:
    """The observations on all hosts, or the reasons for missing ones."""

    def look_at(host: Host, machines: Iterator[Machine]) -> list[NicObservation] | str:
        try:
            return look(run.ports, host, list(machines))
        except HostUnreachable as error:
            return f"{VerificationReason.HOST_UNREACHABLE}: {error.cause}"
        except DriverError as error:
            return str(error)

    return dict(zip(by_host, for_each_host(run, by_host, look_at), strict=True))


def _prove_host(
    run: Run[VerifyInput],
    host: Host,
    machines: Sequence[Machine],
    observations: list[NicObservation] | str,
    world: _Known,
    answers: WireAnswers,
) -> list[MachineProof]:
    if isinstance(observations, str):
        time = run.ports.clock.now()
        return [
            MachineProof(
                machine.system_id,
                tuple(unseen(w, observations, time) for w in world.wants[machine.system_id]),
            )
            for machine in machines
        ]
    return [
        prove_machine(run.ports, host, machine, nic_observation, world.wants, answers, world.leased)
        for machine, nic_observation in zip(machines, observations, strict=True)
    ]


def _record(run: Run[VerifyInput], uow: UnitOfWork) -> None:
    """Write the proofs of existing machines, and record events for failed and recovered ones."""
    proofs = {machine.system_id: machine.proofs for machine in run.output(VERIFY_STEP).machines}
    subjects = {machine.system_id: machine_subject(machine) for machine in uow.machines.some(list(proofs))}
    before = uow.proofs.of(list(subjects))
    time = run.ports.clock.now()
    events = []
    for key, subject in subjects.items():
        was = wire_event(subject, before.get(key, ()), time)
        now = wire_event(subject, proofs[key], time)
        if now is not None and (was is None or was.message != now.message):
            events.append(now)
        elif now is None and was is not None:
            text = "no check fails any more"
            events.append(Event(EventKind.WIRE_CHECK_PASSED, subject, text, time))
    uow.proofs.record({key: proofs[key] for key in subjects})
    if events:
        uow.events.add(*events)


VERIFY_STEP = Step[VerifyInput, Verified]("verify", Verified, do=_verify)
RECORD = Step[VerifyInput, None]("record", rows=_record)

VERIFY = Saga("verify", VerifyInput, (VERIFY_STEP, RECORD))
