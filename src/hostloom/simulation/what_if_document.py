"""The consequences of a change as JSON data."""

from typing import Any

from hostloom.decide.snapshot import Snapshot
from hostloom.model.plan import JointDecision, Refusal
from hostloom.simulation.cases import as_data
from hostloom.simulation.comparison import ComparedCase
from hostloom.simulation.explain import render_changed, render_impact, render_relocation
from hostloom.simulation.headroom import Headroom
from hostloom.simulation.impact import Impact
from hostloom.simulation.outcomes import host_counts
from hostloom.simulation.relocation import Relocation
from hostloom.simulation.what_if import Consequences


def consequences_data(before: Snapshot, after: Snapshot, result: Consequences) -> dict[str, Any]:
    """Make the document with all affected machines and changed requests."""
    return {
        "machines": result.machines,
        "hurt": [_relocation(after, relocation, result.harms) for relocation in result.fates],
        "requests": len(result.cases),
        "changed": [_compared(before, after, compared_case) for compared_case in result.changed],
    }


def room_data(result: Headroom) -> dict[str, Any]:
    """Make the document of the headroom."""
    return {
        "wanted": result.wanted,
        "fit": result.fit,
        "hosts": dict(result.hosts),
        "refusal": _refusal(result.stop.refusal if result.stop else None),
    }


def _relocation(after: Snapshot, relocation: Relocation, all_impacts: tuple[Impact, ...]) -> dict[str, Any]:
    impacts = [
        impact
        for impact in all_impacts
        if (impact.host, impact.machine) == (relocation.host, relocation.machine)
    ]
    return {
        "machine": relocation.machine,
        "host": relocation.host,
        "harms": [
            {
                "nic": impact.nic or None,
                "source": impact.source or None,
                "interface": impact.interface or None,
                "code": impact.code.value,
                "wanted": impact.wanted,
                "found": impact.found,
                "text": render_impact(impact),
            }
            for impact in impacts
        ],
        "goes_to": relocation.to,
        "stays": relocation.stays,
        "interfaces": [as_data(after, interface) for interface in relocation.interfaces],
        "refusal": _refusal(None if relocation.to else relocation.explanation.refusal),
        "text": render_relocation(relocation),
    }


def _compared(before: Snapshot, after: Snapshot, case: ComparedCase) -> dict[str, Any]:
    return {
        "name": case.name,
        "turn": case.turn.value,
        "before": _decision(before, case.before),
        "after": _decision(after, case.after),
        "differences": [
            {"what": difference.what, "before": difference.before, "after": difference.after}
            for difference in case.differences
        ],
        "text": render_changed(case),
    }


def _decision(snapshot: Snapshot, decision: JointDecision) -> dict[str, Any]:
    return {
        "hosts": host_counts(decision.plans),
        "machines": [
            {"host": plan.host_name, "interfaces": [as_data(snapshot, nic) for nic in plan.interfaces]}
            for plan in decision.plans
        ],
        "refusal": None if decision.plans else _refusal(decision.explanations[0].refusal),
    }


def _refusal(refusal: Refusal | None) -> dict[str, Any] | None:
    if refusal is None:
        return None
    return {
        "code": refusal.code.value,
        "subject": refusal.subject,
        "wanted": refusal.wanted,
        "found": refusal.found,
    }
