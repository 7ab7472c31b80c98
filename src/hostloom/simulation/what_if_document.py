"""The consequences of a change as JSON data, with the fields of the results where nothing else is said."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from hostloom.decide.snapshot import Snapshot
from hostloom.model.plan import JointDecision
from hostloom.model.reasons import Refusal
from hostloom.simulation.cases import as_data
from hostloom.simulation.comparison import ComparedCase
from hostloom.simulation.explain import render_changed, render_impact, render_relocation
from hostloom.simulation.headroom import Headroom
from hostloom.simulation.impact import Impact
from hostloom.simulation.outcomes import host_counts
from hostloom.simulation.relocation import Relocation
from hostloom.simulation.what_if import Consequences

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


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
    refusal = _refusal(result.stop.refusal if result.stop else None)
    return _like(result, hide=("stop",), fit=result.fit, hosts=dict(result.hosts), refusal=refusal)


def _like(item: "DataclassInstance", *, hide: tuple[str, ...] = (), **others: Any) -> dict[str, Any]:
    """The fields of a result, without those to hide, and the `others`, in place of fields of their name."""
    shown = [field.name for field in fields(item) if field.name not in hide]
    return {name: None if name in others else _plain(getattr(item, name)) for name in shown} | others


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _like(value)
    return value.value if isinstance(value, Enum) else value


def _relocation(after: Snapshot, relocation: Relocation, all_impacts: tuple[Impact, ...]) -> dict[str, Any]:
    impacts = [
        impact
        for impact in all_impacts
        if (impact.host, impact.machine) == (relocation.host, relocation.machine)
    ]
    return _like(
        relocation,
        hide=("request", "ways", "explanation", "to"),
        harms=[_impact(impact) for impact in impacts],
        goes_to=relocation.to,
        interfaces=[as_data(after, interface) for interface in relocation.interfaces],
        refusal=_refusal(None if relocation.to else relocation.explanation.refusal),
        text=render_relocation(relocation),
    )


def _impact(impact: Impact) -> dict[str, Any]:
    """One harm of a machine; a harm of the whole machine has no NIC, source or interface."""
    return _like(
        impact,
        hide=("machine", "host"),
        nic=impact.nic or None,
        source=impact.source or None,
        interface=impact.interface or None,
        text=render_impact(impact),
    )


def _compared(before: Snapshot, after: Snapshot, case: ComparedCase) -> dict[str, Any]:
    return _like(
        case,
        before=_decision(before, case.before),
        after=_decision(after, case.after),
        text=render_changed(case),
    )


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
    return None if refusal is None else _like(refusal, hide=("rule", "subject_kind", "column"))
