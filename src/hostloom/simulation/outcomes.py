"""Outcomes of cases with one machine or several."""

from collections import Counter
from collections.abc import Sequence

from hostloom.decide.batch.decide_batch import decide_all
from hostloom.decide.dry_run import identities_of, simulate
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import natural_key
from hostloom.model.plan import Decision, JointDecision, Plan
from hostloom.simulation.cases import differences, error_difference, warning_differences
from hostloom.simulation.world_file import Case


def outcome(snapshot: Snapshot, case: Case) -> JointDecision:
    """Decide a case with synthetic identities."""
    batch = case.batch
    if batch is not None:
        identities = tuple(identities_of(machine, index) for index, machine in enumerate(batch.machines))
        return decide_all(snapshot, batch, identities)
    decision = simulate(snapshot, case.request)
    if decision.plan is None:
        return JointDecision((), (decision.explanation,), 0)
    return JointDecision((decision.plan,), (decision.explanation,))


def outcome_differences(snapshot: Snapshot, case: Case, decision: JointDecision) -> list[str]:
    """List the differences, one line each. An empty list means that the case passes."""
    if case.batch is None:
        plan = decision.plans[0] if decision.plans else None
        return differences(snapshot, case, Decision(plan, decision.explanations[0])) + _hosts(case, decision)
    refusal = None if decision.plans else decision.explanations[0].refusal
    if error_lines := error_difference(case, refusal):
        return error_lines
    warnings = {warning.code for explanation in decision.explanations for warning in explanation.warnings}
    return _hosts(case, decision) + warning_differences(case, warnings)


def _hosts(case: Case, decision: JointDecision) -> list[str]:
    expected = case.expect.get("hosts")
    counts = host_counts(decision.plans)
    if expected is None or not counts or counts == {host: count for host, count in expected.items() if count}:
        return []
    return [f"hosts: expected {_counted(expected)}, found {_counted(counts)}"]


def host_counts(plans: Sequence[Plan]) -> dict[str, int]:
    """Count the machines of each host, in the natural order of names."""
    return dict(sorted(Counter(plan.host_name for plan in plans).items(), key=lambda p: natural_key(p[0])))


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{host}: {count}" for host, count in counts.items()) or "none"
