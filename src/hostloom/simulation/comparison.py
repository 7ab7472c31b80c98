"""How requests fare in a changed world."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import natural_key
from hostloom.model.plan import JointDecision, Plan
from hostloom.simulation.cases import as_data
from hostloom.simulation.outcomes import outcome
from hostloom.simulation.world_file import Case


class OutcomeChange(StrEnum):
    """How a request fares, held against before."""

    SAME = "same"
    NO_LONGER_FITS = "no-longer-fits"
    FITS_NOW = "fits-now"
    #: Another host, interface or address.
    MOVES = "moves"
    #: Refused before and after, for another reason.
    REFUSED_OTHERWISE = "refused-otherwise"


@dataclass(frozen=True, slots=True)
class OutcomeDifference:
    """One thing of a plan that is otherwise."""

    #: `host`, or NIC and key: `eth0 source`; of several machines `hosts`, `sources` or `addresses`.
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ComparedCase:
    """A request before and after."""

    name: str
    turn: OutcomeChange
    before: JointDecision
    after: JointDecision
    differences: tuple[OutcomeDifference, ...] = ()


def compare_cases(
    before: Snapshot, after: Snapshot, cases: Sequence[Case], later: Sequence[Case] | None = None
) -> tuple[ComparedCase, ...]:
    """The requests in their order; asked in `after` as `later` says."""
    return tuple(
        _compare(case.name, (before, outcome(before, case)), (after, outcome(after, again)))
        for case, again in zip(cases, cases if later is None else later, strict=True)
    )


def _compare(
    name: str, earlier: tuple[Snapshot, JointDecision], later: tuple[Snapshot, JointDecision]
) -> ComparedCase:
    (before, was), (after, now) = earlier, later
    if was.plans and now.plans:
        outcome_differences = tuple(_differences(before, after, was.plans, now.plans))
        return ComparedCase(
            name,
            OutcomeChange.MOVES if outcome_differences else OutcomeChange.SAME,
            was,
            now,
            outcome_differences,
        )
    if was.plans:
        return ComparedCase(name, OutcomeChange.NO_LONGER_FITS, was, now)
    if now.plans:
        return ComparedCase(name, OutcomeChange.FITS_NOW, was, now)
    codes = {
        joint_decision.explanations[0].refusal.code
        for joint_decision in (was, now)
        if joint_decision.explanations[0].refusal
    }
    return ComparedCase(
        name, OutcomeChange.REFUSED_OTHERWISE if len(codes) > 1 else OutcomeChange.SAME, was, now
    )


def _differences(
    before: Snapshot, after: Snapshot, was: tuple[Plan, ...], now: tuple[Plan, ...]
) -> Iterable[OutcomeDifference]:
    if len(was) > 1:
        yield from _joint_differences(was, now)
        return
    old, new = was[0], now[0]
    if old.host_name != new.host_name:
        yield OutcomeDifference("host", old.host_name, new.host_name)
    for mine, theirs in zip(old.interfaces, new.interfaces, strict=False):
        facts, later = as_data(before, mine), as_data(after, theirs)
        for key in ("attach", "source", "mode", "vlan", "ip", "boot"):
            if facts[key] != later[key]:
                yield OutcomeDifference(f"{mine.name} {key}", _text(facts[key]), _text(later[key]))


def _joint_differences(was: Sequence[Plan], now: Sequence[Plan]) -> Iterable[OutcomeDifference]:
    """Of machines that are all alike only what they have together counts, not which of them has it."""
    for what, of_plan in (("hosts", _hosts), ("sources", _sources), ("addresses", _addresses)):
        old, new = (Counter(word for plan in plans for word in of_plan(plan)) for plans in (was, now))
        if old == new:
            continue
        yield OutcomeDifference(what, _counted(old), _counted(new))
        if what == "hosts":  # which says enough of the sources
            return


def _hosts(plan: Plan) -> list[str]:
    return [plan.host_name]


def _sources(plan: Plan) -> list[str]:
    found = ((nic.attachment.source, nic.attachment.mode) for nic in plan.interfaces)
    return [f"{plan.host_name}/{source}" + (f" ({mode})" if mode else "") for source, mode in found]


def _addresses(plan: Plan) -> list[str]:
    return [str(ip) for nic in plan.interfaces for ip in nic.ips]


def _counted(words: Counter[str]) -> str:
    """`kvm1 ×2, kvm2`."""
    ordered = sorted(words.items(), key=lambda pair: natural_key(pair[0]))
    return ", ".join(f"{word} ×{count}" if count > 1 else word for word, count in ordered)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return {None: "none", True: "yes", False: "no"}.get(value) or str(value)  # type: ignore[call-overload]
