"""Comparison of the outcomes of requests before and after a change."""

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
    """The change of the outcome of a request."""

    SAME = "same"
    NO_LONGER_FITS = "no-longer-fits"
    FITS_NOW = "fits-now"
    #: The host, an interface or an address differs.
    MOVES = "moves"
    #: Refused before and after, with different reasons.
    REFUSED_OTHERWISE = "refused-otherwise"


@dataclass(frozen=True, slots=True)
class OutcomeDifference:
    """A difference between two plans."""

    #: `host`, or a NIC with a key (`eth0 source`). For several machines `hosts`, `sources` or `addresses`.
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
    """Compare the outcomes of requests. `later` are the requests for `after`, if they differ."""
    return tuple(
        _compare(case.name, (before, outcome(before, case)), (after, outcome(after, later_case)))
        for case, later_case in zip(cases, cases if later is None else later, strict=True)
    )


def _compare(
    name: str, earlier: tuple[Snapshot, JointDecision], later: tuple[Snapshot, JointDecision]
) -> ComparedCase:
    (before, old_outcome), (after, new_outcome) = earlier, later
    if old_outcome.plans and new_outcome.plans:
        outcome_differences = tuple(_differences(before, after, old_outcome.plans, new_outcome.plans))
        return ComparedCase(
            name,
            OutcomeChange.MOVES if outcome_differences else OutcomeChange.SAME,
            old_outcome,
            new_outcome,
            outcome_differences,
        )
    if old_outcome.plans:
        return ComparedCase(name, OutcomeChange.NO_LONGER_FITS, old_outcome, new_outcome)
    if new_outcome.plans:
        return ComparedCase(name, OutcomeChange.FITS_NOW, old_outcome, new_outcome)
    codes = {
        joint_decision.explanations[0].refusal.code
        for joint_decision in (old_outcome, new_outcome)
        if joint_decision.explanations[0].refusal
    }
    return ComparedCase(
        name,
        OutcomeChange.REFUSED_OTHERWISE if len(codes) > 1 else OutcomeChange.SAME,
        old_outcome,
        new_outcome,
    )


def _differences(
    before: Snapshot, after: Snapshot, old_plans: tuple[Plan, ...], new_plans: tuple[Plan, ...]
) -> Iterable[OutcomeDifference]:
    if len(old_plans) > 1:
        yield from _joint_differences(old_plans, new_plans)
        return
    old_plan, new_plan = old_plans[0], new_plans[0]
    if old_plan.host_name != new_plan.host_name:
        yield OutcomeDifference("host", old_plan.host_name, new_plan.host_name)
    for old_nic, new_nic in zip(old_plan.interfaces, new_plan.interfaces, strict=False):
        old_values, new_values = as_data(before, old_nic), as_data(after, new_nic)
        for key in ("attach", "source", "mode", "vlan", "ip", "boot"):
            if old_values[key] != new_values[key]:
                yield OutcomeDifference(
                    f"{old_nic.name} {key}", _text(old_values[key]), _text(new_values[key])
                )


def _joint_differences(old_plans: Sequence[Plan], new_plans: Sequence[Plan]) -> Iterable[OutcomeDifference]:
    """Compare identical machines by their totals, because their order has no meaning."""
    for aspect, items_of in (("hosts", _hosts), ("sources", _sources), ("addresses", _addresses)):
        old_counts, new_counts = (
            Counter(item for plan in plans for item in items_of(plan)) for plans in (old_plans, new_plans)
        )
        if old_counts == new_counts:
            continue
        yield OutcomeDifference(aspect, _counted(old_counts), _counted(new_counts))
        if aspect == "hosts":  # Different hosts imply different sources.
            return


def _hosts(plan: Plan) -> list[str]:
    return [plan.host_name]


def _sources(plan: Plan) -> list[str]:
    attachments = ((nic.attachment.source, nic.attachment.mode) for nic in plan.interfaces)
    return [f"{plan.host_name}/{source}" + (f" ({mode})" if mode else "") for source, mode in attachments]


def _addresses(plan: Plan) -> list[str]:
    return [str(ip) for nic in plan.interfaces for ip in nic.ips]


def _counted(counts: Counter[str]) -> str:
    """Render counts: `kvm1 ×2, kvm2`."""
    ordered = sorted(counts.items(), key=lambda pair: natural_key(pair[0]))
    return ", ".join(f"{item} ×{count}" if count > 1 else item for item, count in ordered)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return {None: "none", True: "yes", False: "no"}.get(value) or str(value)  # type: ignore[call-overload]
