"""Probes the network at machines' NICs: one probe for each attach point of each host, in parallel."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hostloom.decide.machines.nic_expectations import (
    NeighbourVerdict,
    NeighbourVerdicts,
    NicExpectation,
    Question,
    VerificationReason,
    probe_point,
    questions,
)
from hostloom.model.attachment import Attachment
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostUnreachable
from hostloom.model.host import Host
from hostloom.ports.wire import ProbePoint, WireProbe
from hostloom.sagas.host_fan_out import for_each_host
from hostloom.sagas.saga import Run


class WireAnswers:
    """The results of the probes."""

    def __init__(self, verdicts: Mapping[tuple[str, Attachment], NeighbourVerdicts]) -> None:
        self._found = verdicts

    def beside(self, host: Host, expectation: NicExpectation) -> NeighbourVerdicts:
        """The result for a NIC, or why there is none."""
        point = probe_point(expectation)
        if isinstance(point, VerificationReason):
            return NeighbourVerdicts(unknown=point)
        return self._found.get((host.name, point), NeighbourVerdicts(unknown=VerificationReason.NO_PROBE))


def ask_wire(
    run: Run[Any], expectations_by_host: Mapping[Host, Sequence[NicExpectation]], listen_s: float
) -> WireAnswers:
    """Probe and listen for answers; a probe that cannot run has a reason, and nothing raises."""
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
