"""Explanations of a what-if change: one line for each impact, machine and request."""

from collections.abc import Iterable

from hostloom.decide.explain.reason_texts import render_refusal
from hostloom.model.machine import MachineInterface
from hostloom.model.plan import JointDecision
from hostloom.model.reasons import Refusal, RequestCode
from hostloom.simulation.comparison import ComparedCase, OutcomeChange
from hostloom.simulation.headroom import Headroom
from hostloom.simulation.impact import Impact, ImpactCode
from hostloom.simulation.outcomes import host_counts
from hostloom.simulation.relocation import Relocation
from hostloom.simulation.what_if import Consequences

HARMS = {
    ImpactCode.HOST_GONE: "{host} is gone",
    ImpactCode.HOST_UNREACHABLE: "{host} does not answer: {found}",
    ImpactCode.HOST_AMBIGUOUS: "{host} could be any of {found}",
    ImpactCode.HOST_NOT_KNOWN: "{host} is not correlated with a node",
    ImpactCode.CORES_OVER_COMMITTED: "{host} is over-committed: {found}",
    ImpactCode.MEMORY_OVER_COMMITTED: "{host} is over-committed: {found}",
    ImpactCode.POOL_GONE: "{wanted} is gone",
    ImpactCode.POOL_OVER_COMMITTED: "no {wanted}: {found}",
    ImpactCode.NETWORK_GONE: "network {source} is gone",
    ImpactCode.NETWORK_INACTIVE: "network {source} is not active",
    ImpactCode.INTERFACE_GONE: "{where} is gone",
    ImpactCode.INTERFACE_DISABLED: "{where} is disabled",
    ImpactCode.INTERFACE_LINK_DOWN: "{where} has no link",
    ImpactCode.INTERFACE_IS_MEMBER: "{where} is {found}",
    ImpactCode.UPLINK_GONE: "{where} reaches no NIC with a link",
    ImpactCode.VLAN_GONE: "VLAN {wanted} of {where} is gone",
    ImpactCode.VLAN_CHANGED: "{where} is on VLAN {found}, not {wanted}",
    ImpactCode.VLAN_NOT_SERVED: "our DHCP does not serve VLAN {wanted} of {where}",
}
#: The number of differences that a line lists. It counts the others.
LISTED = 6


def render_impact(impact: Impact) -> str:
    """Render an impact: `eth0: br0 is gone`."""
    interface = f"the host's {impact.interface}"
    if impact.interface != impact.source:
        interface += f", bridge of network {impact.source},"
    values = {"host": impact.host, "source": impact.source, "wanted": impact.wanted, "found": impact.found}
    text = HARMS[impact.code].format(where=interface, **values)
    return f"{impact.nic}: {text.removesuffix(',')}" if impact.nic else text


def render_relocation(relocation: Relocation) -> str:
    """Render the new place of a machine."""
    if relocation.to is None:
        return f"nowhere: {_unplaced(relocation)}"
    if relocation.stays:
        return f"stays on {relocation.to} as it is"
    return f"{relocation.to}: {_nics(relocation.interfaces)}" if relocation.interfaces else relocation.to


def _unplaced(relocation: Relocation) -> str:
    refusal = relocation.explanation.refusal
    if refusal is not None and refusal.code is RequestCode.NO_MATCHING_INTERFACE:
        return f"no interface for its {refusal.subject} on {dict(relocation.ways).get(refusal.subject, '?')}"
    return _refused(refusal)


def render_changed(case: ComparedCase) -> str:
    """Render the changed outcome of a request."""
    if case.turn is OutcomeChange.SAME:
        return f"as before: {_placed(case.after) if case.after.plans else _refusal_of(case.after)}"
    if case.turn is OutcomeChange.NO_LONGER_FITS:
        return f"no longer fits: {_refusal_of(case.after)} (was on {_hosts(case.before)})"
    if case.turn is OutcomeChange.FITS_NOW:
        return f"fits now: {_placed(case.after)} (was: {_refusal_of(case.before)})"
    if case.turn is OutcomeChange.REFUSED_OTHERWISE:
        return f"still refused: {_refusal_of(case.after)} (was: {_refusal_of(case.before)})"
    differences = [
        f"{difference.what} {difference.before} → {difference.after}"
        for difference in case.differences[:LISTED]
    ]
    more = len(case.differences) - len(differences)
    return f"moves: {', '.join(differences)}" + (f" and {more} more" if more else "")


def render_headline(changes: Iterable[str], result: Consequences) -> str:
    """Render a summary in one line."""
    parts = []
    if result.machines:
        parts.append(f"{len(result.hurt)} of {_many(result.machines, 'machine')} affected")
    else:
        parts.append("there are no machines")
    if result.cases:
        refused_count = sum(case.turn is OutcomeChange.NO_LONGER_FITS for case in result.cases)
        verb = "fits" if refused_count == 1 else "fit"
        parts.append(f"{refused_count} of {_many(len(result.cases), 'request')} no longer {verb}")
        refused_twice = sum(not case.before.plans and not case.after.plans for case in result.cases)
        parts += [f"{refused_twice} refused before and after"] if refused_twice else []
    return f"with {', '.join(changes)}: {', '.join(parts)}"


def render_headroom(result: Headroom, before: Headroom | None = None) -> str:
    """Render how many machines fit on which hosts, and why the next one does not fit."""
    hosts = ", ".join(f"{host} ×{count}" for host, count in result.hosts[:LISTED])
    more = len(result.hosts) - LISTED
    placement = f" ({hosts}{f' and {more} more hosts' if more > 0 else ''})" if result.hosts else ""
    comparison = (
        f"; without the change {before.fit}" if before is not None and before.fit != result.fit else ""
    )
    refusal = f"; the next: {_refused(result.stop.refusal)}" if result.stop is not None else ""
    return f"room: {result.fit} of {result.wanted} fit{placement}{comparison}{refusal}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _refusal_of(decision: JointDecision) -> str:
    prefix = f"machine {decision.refused_at + 1} does not fit: " if decision.refused_at else ""
    return prefix + _refused(decision.explanations[0].refusal)


def _refused(refusal: Refusal | None) -> str:
    if refusal is None:
        return "refused"
    text = render_refusal(refusal)
    return f"{text}: {refusal.found}" if refusal.code is RequestCode.NO_HOST_FITS else text


def _hosts(decision: JointDecision) -> str:
    counts = host_counts(decision.plans)
    if len(decision.plans) == 1:
        return next(iter(counts))
    return ", ".join(f"{host} ×{count}" if count > 1 else host for host, count in counts.items())


def _placed(decision: JointDecision) -> str:
    nics = f": {_nics(decision.plans[0].interfaces)}" if len(decision.plans) == 1 else ""
    return f"{_hosts(decision)}{nics}"


def _nics(nics: Iterable[MachineInterface]) -> str:
    return ", ".join(_nic(nic) for nic in nics)


def _nic(nic: MachineInterface) -> str:
    mode = f" ({nic.attachment.mode})" if nic.attachment.mode else ""
    return f"{nic.name} on {nic.attachment.source}{mode}"
