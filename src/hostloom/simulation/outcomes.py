"""What comes of a world file's case, be it one machine or several."""

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
    """Decide the case, with made-up identities."""
    batch = case.batch
    if batch is not None:
        identities = tuple(identities_of(machine, at) for at, machine in enumerate(batch.machines))
        return decide_all(snapshot, batch, identities)
    decision = simulate(snapshot, case.request)
    if decision.plan is None:
        return JointDecision((), (decision.explanation,), 0)
    return JointDecision((decision.plan,), (decision.explanation,))


def outcome_differences(snapshot: Snapshot, case: Case, found: JointDecision) -> list[str]:
    """What is not as expected, one line each; empty when the case passes."""
    if case.batch is None:
        plan = found.plans[0] if found.plans else None
        return differences(snapshot, case, Decision(plan, found.explanations[0])) + _hosts(case, found)
    refusal = None if found.plans else found.explanations[0].refusal
    if wrong := error_difference(case, refusal):
        return wrong
    warnings = {warning.code for explanation in found.explanations for warning in explanation.warnings}
    return _hosts(case, found) + warning_differences(case, warnings)


def _hosts(case: Case, found: JointDecision) -> list[str]:
    wanted = case.expect.get("hosts")
    counts = host_counts(found.plans)
    if wanted is None or not counts or counts == {host: count for host, count in wanted.items() if count}:
        return []
    return [f"hosts: expected {_counted(wanted)}, found {_counted(counts)}"]


def host_counts(plans: Sequence[Plan]) -> dict[str, int]:
    """How many of the machines each host takes, by natural name."""
    return dict(sorted(Counter(plan.host_name for plan in plans).items(), key=lambda p: natural_key(p[0])))


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{host}: {count}" for host, count in counts.items()) or "none"
