"""Verify: are machines attached, addressed and reached as was planned? Proven from host and wire."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hostloom.decide.explain.proof import describe_evidence, describe_failures
from hostloom.decide.machines.nic_verification import (
    NicExpectation,
    NicObservation,
    VerificationReason,
    expectations_of,
    unseen,
    verify_nic,
)
from hostloom.model.dhcp_exchange import MessageKind
from hostloom.model.errors import DriverError, HostNotScannable, HostUnreachable, HypervisorRejected
from hostloom.model.event import Event
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine
from hostloom.model.network import Address, AddressKind
from hostloom.model.observed import ObservedLink
from hostloom.model.verification import Check, NicProof, Verdict
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.ask_wire import WireAnswers, ask_wire
from hostloom.sagas.host_fan_out import for_each_host
from hostloom.sagas.saga import Run, Saga, Step

#: A guest that is busy, or emulated, takes its time to answer.
LISTEN_S = 1.0
#: DHCP messages that are looked through for each NIC.
MESSAGES_A_NIC = 20
#: Addresses that a NIC has a lease of, by machine and name of the NIC.
Leased = Mapping[tuple[SystemId, str], Collection[Address]]
Wants = Mapping[SystemId, Sequence[NicExpectation]]


@dataclass(frozen=True)
class VerifyInput:
    """The machines."""

    machines: tuple[SystemId, ...]


@dataclass(frozen=True)
class MachineProof:
    """The proofs of a machine's NICs."""

    system_id: SystemId
    proofs: tuple[NicProof, ...]


@dataclass(frozen=True)
class Verified:
    """What was found, by machine."""

    machines: tuple[MachineProof, ...]


@dataclass(frozen=True)
class _Known:
    """What the records say."""

    by_host: Mapping[Host, Sequence[Machine]]
    wants: Wants
    leased: Leased


# -- what both sagas do --------------------------------------------------------------------------------


def look(ports: Ports, host: Host, machines: Iterable[Machine]) -> list[NicObservation]:
    """Machines as their host shows them; its links are read once, after the last was started."""
    hypervisor = ports.hypervisors.of(host.name, host.uri)
    found = [hypervisor.find_machine(each.uuid) for each in machines]
    running = any(NicObservation(each, None).running for each in found)
    links = _links(ports, host.uri) if running else None
    return [NicObservation(each, links) for each in found]


def _links(ports: Ports, uri: str) -> dict[str, ObservedLink] | None:
    try:
        return {each.name: each for each in ports.scanner.scan(uri).links}
    except HostNotScannable:
        return None


def prove_machine(
    ports: Ports,
    host: Host,
    machine: Machine,
    seen: NicObservation,
    wants: Wants,
    answers: WireAnswers,
    leased: Leased,
) -> MachineProof:
    """The proofs of all NICs of a machine."""
    at = ports.clock.now()
    proofs = (
        verify_nic(
            each, seen, answers.beside(host, each), leased.get((machine.system_id, each.nic.name), ()), at
        )
        for each in wants[machine.system_id]
    )
    return MachineProof(machine.system_id, tuple(proofs))


def require_attached(host: Host, machine: Machine, found: MachineProof) -> None:
    """HypervisorRejected for the first NIC that is not where it was planned."""
    for proof in found.proofs:
        for each in proof.evidence:
            if each.check is Check.ATTACHMENT and each.verdict is Verdict.FAILED:
                action = f"verify NIC {proof.nic} of machine {machine.hostname}"
                raise HypervisorRejected(host.name, action, describe_evidence(each))


def wire_event(hostname: str, proofs: Sequence[NicProof], at: float) -> Event | None:
    """What is told of a machine whose checks failed."""
    failed = [each for each in proofs if each.verdict is Verdict.FAILED]
    if not failed:
        return None
    text = "; ".join(describe_failures(each.nic, each.evidence) for each in failed)
    details = {"nics": [each.nic for each in failed]}
    return Event("wire-check-failed", f"machine {hostname}", text, at, details=details)


# -- the saga ------------------------------------------------------------------------------------------


def _read(run: Run[VerifyInput]) -> _Known:
    by_host: dict[Host, list[Machine]] = {}
    wants: dict[SystemId, Sequence[NicExpectation]] = {}
    with run.ports.store.begin() as uow:
        snapshot = uow.snapshot()
        machines = uow.machines.some(run.input.machines)
        for each in machines:
            if each.host_id is not None and each.host_id in snapshot.host_by_id:
                host = snapshot.host_by_id[each.host_id].host
                by_host.setdefault(host, []).append(each)
                wants[each.system_id] = expectations_of(snapshot, host, each)
        held = [each for each in snapshot.held if each.kind is AddressKind.LEASE]
        leased = _acknowledged(uow, machines)
    for lease in held:
        if lease.system_id is not None and lease.interface_name is not None:
            leased.setdefault((SystemId(lease.system_id), lease.interface_name), set()).add(lease.ip)
    return _Known(by_host, wants, leased)


def _acknowledged(uow: UnitOfWork, machines: Sequence[Machine]) -> dict[tuple[SystemId, str], set[Address]]:
    """Planned addresses that a DHCP server was seen to give their NICs: no lease of theirs is recorded."""
    nics = {nic.mac: (each.system_id, nic) for each in machines for nic in each.interfaces}
    found: dict[tuple[SystemId, str], set[Address]] = {}
    for message in uow.dhcp_messages.of(list(nics), MESSAGES_A_NIC * len(nics)):
        system_id, nic = nics[message.mac]
        gives = message.kind in (MessageKind.ACK, MessageKind.REPLY)
        if gives and message.ip is not None and message.ip in nic.ips:
            found.setdefault((system_id, nic.name), set()).add(message.ip)
    return found


def _verify(run: Run[VerifyInput]) -> Verified:
    known = _read(run)
    seen = _look_at_all(run, known.by_host)
    wanted = {
        host: [want for each in machines for want in known.wants[each.system_id]]
        for host, machines in known.by_host.items()
        if not isinstance(seen[host], str)
    }
    answers = ask_wire(run, wanted, LISTEN_S)
    found = [
        proof
        for host, machines in known.by_host.items()
        for proof in _prove_host(run, host, machines, seen[host], known, answers)
    ]
    return Verified(tuple(found))


def _look_at_all(
    run: Run[VerifyInput], by_host: Mapping[Host, Sequence[Machine]]
) -> dict[Host, list[NicObservation] | str]:
    """What each host shows, or why it shows nothing."""

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
    seen: list[NicObservation] | str,
    known: _Known,
    answers: WireAnswers,
) -> list[MachineProof]:
    if isinstance(seen, str):
        at = run.ports.clock.now()
        return [
            MachineProof(each.system_id, tuple(unseen(w, seen, at) for w in known.wants[each.system_id]))
            for each in machines
        ]
    return [
        prove_machine(run.ports, host, each, shown, known.wants, answers, known.leased)
        for each, shown in zip(machines, seen, strict=True)
    ]


def _record(run: Run[VerifyInput], uow: UnitOfWork) -> None:
    """Write the proofs of those that are still there, and tell what failed or is well again."""
    found = {each.system_id: each.proofs for each in run.output(VERIFY_STEP).machines}
    names = {each.system_id: each.hostname for each in uow.machines.some(list(found))}
    before = uow.proofs.of(list(names))
    at = run.ports.clock.now()
    events = []
    for key, hostname in names.items():
        was = wire_event(hostname, before.get(key, ()), at)
        now = wire_event(hostname, found[key], at)
        if now is not None and (was is None or was.message != now.message):
            events.append(now)
        elif now is None and was is not None:
            events.append(Event("wire-check-passed", f"machine {hostname}", "no check fails any more", at))
    uow.proofs.record({key: found[key] for key in names})
    if events:
        uow.events.add(*events)


VERIFY_STEP = Step[VerifyInput, Verified]("verify", Verified, do=_verify)
RECORD = Step[VerifyInput, None]("record", rows=_record)

VERIFY = Saga("verify", VerifyInput, (VERIFY_STEP, RECORD))
