"""The reasons for the choice of one NIC, as data."""

from collections.abc import Container, Iterable

from hostloom.decide.placement.assignment import Obstacle
from hostloom.decide.placement.candidates import Candidate
from hostloom.decide.placement.matching import CandidateSet
from hostloom.model.attachment import AttachKind
from hostloom.model.plan import LabelExplanation
from hostloom.model.reasons import Rejection, RejectionCode

RANKS = ("bridge", "bond", "nic")


def explain_label(
    options: CandidateSet,
    winner: Candidate | None,
    passed_over: tuple[tuple[Candidate, Obstacle], ...],
    used: frozenset[str],
    taken: frozenset[str] = frozenset(),
) -> LabelExplanation:
    """The explanation of a label: the winner, the alternatives and the rejections.

    `used` are the sources of earlier labels of the request, `taken` those that passthru makes unavailable.
    """
    label = options.requirement.label.label
    obstacles = {candidate.source: obstacle for candidate, obstacle in passed_over}
    _, others = _divided(options.candidates, set() if winner is None else {winner.source})
    incomplete, remaining = _divided(others, obstacles)
    rejections = [
        *options.rejections,
        *(_would_not_complete(candidate, obstacles[candidate.source]) for candidate in incomplete),
    ]
    if winner is None:
        return LabelExplanation(label, "", rejections=(*rejections, *map(_taken, remaining)))
    lost, free = _divided(remaining, taken)
    lower = sorted(free, key=lambda candidate: candidate.preference(used))
    rejections += [*map(_taken, lost), *(_lower(candidate, winner, used) for candidate in lower)]
    runners_up = tuple(candidate.source for candidate in lower)
    return LabelExplanation(
        label, winner.source, _reasons(winner, lower, used), runners_up, tuple(rejections)
    )


def _divided(
    candidates: Iterable[Candidate], sources: Container[str]
) -> tuple[list[Candidate], list[Candidate]]:
    """The candidates with one of these sources, and the others."""
    inside: list[Candidate] = []
    outside: list[Candidate] = []
    for candidate in candidates:
        (inside if candidate.source in sources else outside).append(candidate)
    return inside, outside


def _taken(candidate: Candidate) -> Rejection:
    return candidate.reject(
        "is_not_taken", RejectionCode.PASSTHRU_IN_USE, "free", "taken by an earlier label"
    )


def _would_not_complete(candidate: Candidate, obstacle: Obstacle) -> Rejection:
    return candidate.reject(
        "request_completes", RejectionCode.WOULD_NOT_COMPLETE, "a request that fits as a whole", obstacle
    )


def _lower(candidate: Candidate, winner: Candidate, used: frozenset[str]) -> Rejection:
    reason = _difference(winner, candidate, used)
    return candidate.reject("is_preferred", RejectionCode.LOWER_PREFERENCE, winner.source, reason)


def _reasons(winner: Candidate, lower: list[Candidate], used: frozenset[str]) -> tuple[str, ...]:
    kind = "network" if winner.kind is AttachKind.NETWORK else RANKS[winner.rank]
    if not lower:
        return (kind, "only-candidate")
    return (kind, _difference(winner, lower[0], used))


def _difference(winner: Candidate, other: Candidate, used: frozenset[str]) -> str:
    """The first criterion in which the winner is better."""
    if winner.kind is AttachKind.NETWORK and other.kind is not AttachKind.NETWORK:
        return "network-before-interface"
    if winner.kind is AttachKind.NETWORK:
        return "connected-before-isolated" if winner.rank != other.rank else "network-order"
    if winner.rank != other.rank:
        return f"{RANKS[winner.rank]}-before-{RANKS[other.rank]}"
    if winner.bootable != other.bootable:
        return "bootable-vlan"
    if (winner.source in used) != (other.source in used):
        return "unused"
    return "name-order"
