"""Ask the wire beside machines' NICs: one probe for each point of each host, all at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hostloom.decide.proving import Answer, Answers, NicWants, Question, Reason, probe_point, questions
from hostloom.model.attachment import Attachment
from hostloom.model.errors import DriverError, HostUnreachable
from hostloom.model.host import Host
from hostloom.ports import Ports, ProbePoint
from hostloom.workflows.saga import Run
from hostloom.workflows.side_by_side import side_by_side


class WireAnswers:
    """What the probes found."""

    def __init__(self, found: Mapping[tuple[str, Attachment], Answers]) -> None:
        self._found = found

    def beside(self, host: Host, wants: NicWants) -> Answers:
        """What was found beside a NIC, or why nothing was."""
        point = probe_point(wants)
        if isinstance(point, Reason):
            return Answers(unknown=point)
        return self._found.get((host.name, point), Answers(unknown=Reason.NO_PROBE))


def ask_wire(run: Run[Any], wanted: Mapping[Host, Sequence[NicWants]], listen_s: float) -> WireAnswers:
    """Probe, and listen so long for whoever answers; what cannot be asked has its reason, nothing raises."""
    if run.ports.wire is None:
        return WireAnswers({})
    work = {
        (host, point): (question,)
        for host, wants in wanted.items()
        for point, question in questions(wants).items()
    }

    def ask(at: tuple[Host, Attachment], asked: Iterator[Question]) -> Answers:
        (question,) = asked
        return _ask(run.ports, *at, question, listen_s)

    found = side_by_side(run, work, ask) if work else []
    return WireAnswers({(host.name, point): each for (host, point), each in zip(work, found, strict=True)})


def _ask(ports: Ports, host: Host, point: Attachment, question: Question, listen_s: float) -> Answers:
    if ports.wire is None:
        return Answers(unknown=Reason.NO_PROBE)
    try:
        found = ports.wire.reach(ProbePoint(host.uri, point), question.targets, question.mtu, listen_s)
    except HostUnreachable as error:
        return Answers(unknown=f"{Reason.HOST_UNREACHABLE}: {error.cause}")
    except DriverError as error:
        return Answers(unknown=str(error))
    return Answers({each.target: Answer(each.macs, each.mtu) for each in found})
