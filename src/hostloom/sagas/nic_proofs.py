"""Proves NICs: observes them on their hosts, probes the network at their attachments, and judges both."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hostloom.decide.explain.proof import describe_evidence, describe_failures
from hostloom.decide.machines.nic_expectations import (
    NeighbourVerdict,
    NeighbourVerdicts,
    NicExpectation,
    Question,
    VerificationReason,
    probe_point,
    questions,
)
from hostloom.decide.machines.nic_verification import NicObservation, verify_nic
from hostloom.model.attachment import Attachment
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostNotScannable, HostUnreachable, HypervisorRejected
from hostloom.model.event import Event, EventSubject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Check, Machine, NicProof, Verdict
from hostloom.model.network import Address
from hostloom.model.observed import ObservedLink
from hostloom.ports.context import Ports
from hostloom.ports.wire import ProbePoint, WireProbe
from hostloom.sagas.saga import Run, for_each_host

#: Leased addresses of NICs, by machine and name of the NIC.
Leased = Mapping[tuple[SystemId, str], Collection[Address]]
Wants = Mapping[SystemId, Sequence[NicExpectation]]


@dataclass(frozen=True)
class MachineProof:
    """The proofs of a machine's NICs."""

    system_id: SystemId
    proofs: tuple[NicProof, ...]


class WireAnswers:
    """The results of the probes."""

    def __init__(self, verdicts: Mapping[tuple[str, Attachment], NeighbourVerdicts]) -> None:
        self._found = verdicts

    def beside(self, host: Host, expectation: NicExpectation) -> NeighbourVerdicts:
        """The result for a NIC, or the reason why none exists."""
        point = probe_point(expectation)
        if isinstance(point, VerificationReason):
            return NeighbourVerdicts(unknown=point)
        return self._found.get((host.name, point), NeighbourVerdicts(unknown=VerificationReason.NO_PROBE))


def ask_wire(
    run: Run[Any], expectations_by_host: Mapping[Host, Sequence[NicExpectation]], listen_s: float
) -> WireAnswers:
    """Probe and collect answers; a probe that cannot run becomes a reason, without an exception."""
    if run.ports.wire is None:
        return WireAnswers({})
    work = {
        (host, point): (question,)
        for host, expectations in expectations_by_host.items()
        for point, question in questions(expectations).items()
    }

    def ask(place: tuple[Host, Attachment], asked: Iterator[Question]) -> NeighbourVerdicts:
        (question,) = asked
        return _ask(run.ports.wire, *place, question, listen_s)

    verdicts_by_point = for_each_host(run, work, ask) if work else []
    return WireAnswers(
        {
            (host.name, point): neighbour_verdicts
            for (host, point), neighbour_verdicts in zip(work, verdicts_by_point, strict=True)
        }
    )


def _ask(
    wire: WireProbe | None, host: Host, point: Attachment, question: Question, listen_s: float
) -> NeighbourVerdicts:
    if wire is None:
        return NeighbourVerdicts(unknown=VerificationReason.NO_PROBE)
    try:
        neighbour_answers = wire.reach(ProbePoint(host.uri, point), question.targets, question.mtu, listen_s)
    except HostUnreachable as error:
        return NeighbourVerdicts(unknown=f"{VerificationReason.HOST_UNREACHABLE}: {error.cause}")
    except DriverError as error:
        return NeighbourVerdicts(unknown=str(error))
    return NeighbourVerdicts(
        {
            neighbour_answer.target: NeighbourVerdict(neighbour_answer.macs, neighbour_answer.mtu)
            for neighbour_answer in neighbour_answers
        }
    )


def look(ports: Ports, host: Host, machines: Iterable[Machine]) -> list[NicObservation]:
    """Machines as observed on their host; its links are read once, after all machines were started."""
    hypervisor = ports.hypervisors.of(host.name, host.uri)
    observed_machines = [hypervisor.find_machine(machine.uuid) for machine in machines]
    running = any(NicObservation(observed_machine, None).running for observed_machine in observed_machines)
    links = _read_links(ports, host) if running else None
    return [NicObservation(observed_machine, links) for observed_machine in observed_machines]


def _read_links(ports: Ports, host: Host) -> dict[str, ObservedLink] | None:
    """The links of a host by name; None if they cannot be read."""
    try:
        return {link.name: link for link in ports.scanner.scan(host.uri).links}
    except HostNotScannable:
        return None


def prove_machine(
    ports: Ports,
    host: Host,
    machine: Machine,
    nic_observation: NicObservation,
    expectations: Wants,
    answers: WireAnswers,
    leased: Leased,
) -> MachineProof:
    """The proofs of all NICs of a machine."""
    time = ports.clock.now()
    proofs = (
        verify_nic(
            nic_expectation,
            nic_observation,
            answers.beside(host, nic_expectation),
            leased.get((machine.system_id, nic_expectation.nic.name), ()),
            time,
        )
        for nic_expectation in expectations[machine.system_id]
    )
    return MachineProof(machine.system_id, tuple(proofs))


def require_attached(host: Host, machine: Machine, machine_proof: MachineProof) -> None:
    """HypervisorRejected for the first NIC that is not attached as planned."""
    for proof in machine_proof.proofs:
        for evidence in proof.evidence:
            if evidence.check is Check.ATTACHMENT and evidence.verdict is Verdict.FAILED:
                action = f"verify NIC {proof.nic} of machine {machine.hostname}"
                raise HypervisorRejected(host.name, action, describe_evidence(evidence))


def wire_event(subject: EventSubject, proofs: Sequence[NicProof], time: float) -> Event | None:
    """The event for a machine with failed checks."""
    failed = [proof for proof in proofs if proof.verdict is Verdict.FAILED]
    if not failed:
        return None
    text = "; ".join(describe_failures(nic_proof.nic, nic_proof.evidence) for nic_proof in failed)
    details = {"nics": [nic_proof.nic for nic_proof in failed]}
    return Event(EventKind.WIRE_CHECK_FAILED, subject, text, time, details=details)
