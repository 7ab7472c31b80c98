"""The reasons for the choice of one NIC, as data."""

from hostloom.decide.placement.assignment import Obstacle
from hostloom.decide.placement.candidates import Candidate
from hostloom.decide.placement.matching import CandidateSet
from hostloom.model.attachment import AttachKind
from hostloom.model.plan import LabelExplanation, Rejection, RejectionCode

RANKS = ("bridge", "bond", "nic")


def explain_label(
    options: CandidateSet,
    winner: Candidate | None,
    passed_over: tuple[tuple[Candidate, Obstacle], ...],
    used: frozenset[str],
    taken: frozenset[str] = frozenset(),
) -> LabelExplanation:
    """Everything on the host, divided into the winner, alternatives and rejections.

    `used` are the sources that earlier labels of the request use, `taken` those that passthru keeps from it.
    """
    passed = {candidate.source: obstacle for candidate, obstacle in passed_over}
    others = [c for c in options.candidates if winner is None or c.source != winner.source]
    incomplete = [c for c in others if c.source in passed]
    remaining = [c for c in others if c.source not in passed]
    lost = [c for c in remaining if winner is None or c.source in taken]
    lower = _in_order([c for c in remaining if c not in lost], used)
    rejections = [
        *options.rejections,
        *(_would_not_complete(c, passed[c.source]) for c in incomplete),
        *map(_taken, lost),
    ]
    if winner is not None:
        rejections += [_lower(c, winner, used) for c in lower]
    return LabelExplanation(
        options.wanted.label.label,
        winner.source if winner else "",
        _reasons(winner, lower, used) if winner else (),
        tuple(c.source for c in lower),
        tuple(rejections),
    )


def _taken(candidate: Candidate) -> Rejection:
    return candidate.reject(
        "is_not_taken", RejectionCode.PASSTHRU_IN_USE, "free", "taken by an earlier label"
    )


def _in_order(candidates: list[Candidate], used: frozenset[str]) -> list[Candidate]:
    return sorted(candidates, key=lambda c: c.preference(used))


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
