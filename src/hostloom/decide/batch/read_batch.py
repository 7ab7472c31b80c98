"""Reads a batch: the requirements of its machines, and the hosts that could take each of them alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.fleet.survey import survey
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.compose import decide, named, normal
from hostloom.decide.placement.host_evaluation import HostEvaluation, NetworkFit, evaluate_host, network_fit
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.request.resolve import ResolvedRequest, resolve_request
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import MacvlanMode
from hostloom.model.plan import Explanation
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind
from hostloom.model.request import Identities, ParsedBatch, ParsedRequest


@dataclass(frozen=True, eq=False)
class MachineKind:
    """Machines of the batch with the same requirements for a host."""

    number: int
    asked: ResolvedRequest
    #: The hosts that could take one of them in the current state, by index in the fleet.
    fits: Mapping[int, NetworkFit]


@dataclass(frozen=True, eq=False)
class MachineRequest:
    """One machine of the batch."""

    #: Index in the batch.
    index: int
    kind: MachineKind
    #: The machine's request.
    asked: ResolvedRequest
    names: Identities

    @property
    def word(self) -> str | None:
        """The machine's value of anti-affinity."""
        return self.asked.request.anti_affinity


@dataclass(frozen=True)
class Stuck:
    """The machine that does not fit, with the explanation."""

    index: int
    explanation: Explanation


def read_batch(
    snapshot: Snapshot, batch: ParsedBatch, identities: tuple[Identities, ...]
) -> tuple[MachineRequest, ...] | Stuck:
    """Read every machine; the first one that would be refused alone, or that repeats another, is stuck."""
    kinds: dict[ParsedRequest, MachineKind] = {}
    jobs = []
    for index, (request, names) in enumerate(zip(batch.machines, identities, strict=True)):
        parsed_request = _of_its_kind(request)
        kind = kinds.get(parsed_request) or _read(snapshot, len(kinds), parsed_request)
        if kind is None:
            return Stuck(index, decide(snapshot, request, names).explanation)
        kinds[parsed_request] = kind
        jobs.append(MachineRequest(index, kind, replace(kind.asked, request=normal(request)), names))
    return _repeated(jobs) or tuple(jobs)


def fit_of(trial: HostEvaluation) -> NetworkFit | None:
    """How well the host's network fits; None if it is refused."""
    if trial.refusal is not None or trial.placement is None:
        return None
    return network_fit(trial.placement.nics)


def hardness(job: MachineRequest) -> tuple[float, ...]:
    """Sort key: machines with the fewest possible hosts or the largest size first."""
    request, labels = job.asked.request, [requirement.label for requirement in job.asked.requirements]
    owns = any(label.macvlan_mode is MacvlanMode.PASSTHRU for label in labels)
    asks = any(label.ips for label in labels)
    choices = len(job.kind.fits).bit_length()
    return (
        request.host is None,
        not asks,
        not owns,
        choices,
        -request.memory_mib,
        -request.cores,
        job.kind.number,
        job.index,
    )


def _of_its_kind(request: ParsedRequest) -> ParsedRequest:
    """The request without the parts that do not concern a host."""
    return replace(
        request,
        hostname=None,
        zone=None,
        zone_id=None,
        resource_pool=None,
        resource_pool_id=None,
        domain=None,
        domain_id=None,
        tags=(),
        start=True,
        anti_affinity=None,
    )


def _read(snapshot: Snapshot, number: int, request: ParsedRequest) -> MachineKind | None:
    """Read a kind of machine; None if it fits on no host, even alone."""
    address_index, fleet = address_index_of(snapshot), fleet_of(snapshot)
    try:
        resolved_request = resolve_request(snapshot, address_index, normal(request))
        states = named(snapshot, resolved_request.request)
    except RefuseRequest:
        return None
    if states is None:
        verdicts = dict(enumerate(survey(snapshot, address_index, fleet, resolved_request, {}).verdicts))
        fits = {index: verdict for index, verdict in verdicts.items() if isinstance(verdict, NetworkFit)}
    else:
        network_fits = {
            fleet.positions[s.host.id]: fit_of(evaluate_host(snapshot, address_index, s, resolved_request))
            for s in states
        }
        fits = {index: fit for index, fit in network_fits.items() if fit is not None}
    return MachineKind(number, resolved_request, fits) if fits else None


def _repeated(jobs: list[MachineRequest]) -> Stuck | None:
    """Refuse an address, MAC or hostname that two machines of the batch have."""
    machine_requests: dict[tuple[str, object], MachineRequest] = {}
    for job in jobs:
        for kind, value in _claims(job):
            first = machine_requests.setdefault((kind, value), job)
            if first is not job:
                return Stuck(job.index, Explanation(None, _clash(kind, str(value), first, job)))
    return None


def _claims(job: MachineRequest) -> Iterator[tuple[str, object]]:
    yield "hostname", job.names.hostname
    labels = [requirement.label for requirement in job.asked.requirements]
    for index, mac in enumerate(job.names.macs[: max(len(labels), 1)]):
        yield "mac", (labels[index].mac if labels else None) or mac
    for label in labels:
        for ip in label.ips:
            yield "ip", ip


def _clash(claim_kind: str, value: str, first: MachineRequest, second: MachineRequest) -> Refusal:
    claim = f"{claim_kind} {value} for machines {first.index + 1} and {second.index + 1}"
    if claim_kind == "ip":
        code, kind = RequestCode.DUPLICATE_ADDRESS, SubjectKind.ADDRESS
        return Refusal("addresses_differ", code, kind, value, wanted="each address once", found=claim)
    code, kind = RequestCode.CONTRADICTION, SubjectKind.REQUEST
    return Refusal(
        "machines_differ", code, kind, "the batch", wanted=f"a {claim_kind} for each machine", found=claim
    )
