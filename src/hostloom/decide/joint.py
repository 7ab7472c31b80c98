"""Many machines at once: a plan for each of a batch, or for none."""

from hostloom.decide.compose import decide
from hostloom.decide.placed import with_plan
from hostloom.decide.snapshot import Snapshot
from hostloom.model.plan import Explanation, JointDecision, Plan
from hostloom.model.request import ComposeBatch, Identities


def decide_all(snapshot: Snapshot, batch: ComposeBatch, identities: tuple[Identities, ...]) -> JointDecision:
    """Place every machine of the batch on what the others leave, or refuse them all."""
    plans: list[Plan] = []
    explanations: list[Explanation] = []
    for at, (request, names) in enumerate(zip(batch.machines, identities, strict=True)):
        found = decide(snapshot, request, names)
        if found.plan is None:
            return JointDecision((), (found.explanation,), at)
        plans.append(found.plan)
        explanations.append(found.explanation)
        snapshot = with_plan(snapshot, found.plan)
    return JointDecision(tuple(plans), tuple(explanations))
