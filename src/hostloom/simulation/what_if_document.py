"""What a change would do as plain JSON data."""

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


def consequences_data(before: Snapshot, after: Snapshot, found: Consequences) -> dict[str, Any]:
    """Every hurt machine with its harms and where it could go, every request that fares otherwise."""
    return {
        "machines": found.machines,
        "hurt": [_fate(after, fate, found.harms) for fate in found.fates],
        "requests": len(found.cases),
        "changed": [_compared(before, after, compared_case) for compared_case in found.changed],
    }


def room_data(found: Headroom) -> dict[str, Any]:
    """How many fit, and where."""
    return {
        "wanted": found.wanted,
        "fit": found.fit,
        "hosts": dict(found.hosts),
        "refusal": _refusal(found.stop.refusal if found.stop else None),
    }


def _fate(after: Snapshot, fate: Relocation, harms: tuple[Impact, ...]) -> dict[str, Any]:
    impacts = [harm for harm in harms if (harm.host, harm.machine) == (fate.host, fate.machine)]
    return {
        "machine": fate.machine,
        "host": fate.host,
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
        "goes_to": fate.to,
        "stays": fate.stays,
        "interfaces": [as_data(after, interface) for interface in fate.interfaces],
        "refusal": _refusal(None if fate.to else fate.explanation.refusal),
        "text": render_relocation(fate),
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


def _decision(snapshot: Snapshot, found: JointDecision) -> dict[str, Any]:
    return {
        "hosts": host_counts(found.plans),
        "machines": [
            {"host": plan.host_name, "interfaces": [as_data(snapshot, nic) for nic in plan.interfaces]}
            for plan in found.plans
        ],
        "refusal": None if found.plans else _refusal(found.explanations[0].refusal),
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
