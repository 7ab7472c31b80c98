"""The words for what a change would do: one line a harm, a machine, a request."""

from collections.abc import Iterable

from hostloom.decide.explain.reason_texts import render_refusal
from hostloom.model.machine import MachineInterface
from hostloom.model.plan import JointDecision, Refusal, RequestCode
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
    ImpactCode.HOST_NOT_KNOWN: "{host} is not a known node",
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
#: Differences that a line lists before it counts the rest.
LISTED = 6


def render_impact(harm: Impact) -> str:
    """`eth0: br0 is gone`."""
    where = f"the host's {harm.interface}"
    if harm.interface != harm.source:
        where += f", bridge of network {harm.source},"
    words = {"host": harm.host, "source": harm.source, "wanted": harm.wanted, "found": harm.found}
    text = HARMS[harm.code].format(where=where, **words)
    return f"{harm.nic}: {text.removesuffix(',')}" if harm.nic else text


def render_relocation(fate: Relocation) -> str:
    """Where the machine could go."""
    if fate.to is None:
        return f"nowhere: {_unplaced(fate)}"
    if fate.stays:
        return f"stays on {fate.to} as it is"
    return f"{fate.to}: {_nics(fate.interfaces)}" if fate.interfaces else fate.to


def _unplaced(fate: Relocation) -> str:
    refusal = fate.explanation.refusal
    if refusal is not None and refusal.code is RequestCode.NO_MATCHING_INTERFACE:
        return f"no interface for its {refusal.subject} on {dict(fate.ways).get(refusal.subject, '?')}"
    return _refused(refusal)


def render_changed(case: ComparedCase) -> str:
    """What becomes of the request."""
    if case.turn is OutcomeChange.SAME:
        return f"as before: {_placed(case.after) if case.after.plans else _refusal_of(case.after)}"
    if case.turn is OutcomeChange.NO_LONGER_FITS:
        return f"no longer fits: {_refusal_of(case.after)} (was on {_hosts(case.before)})"
    if case.turn is OutcomeChange.FITS_NOW:
        return f"fits now: {_placed(case.after)} (was: {_refusal_of(case.before)})"
    if case.turn is OutcomeChange.REFUSED_OTHERWISE:
        return f"still refused: {_refusal_of(case.after)} (was: {_refusal_of(case.before)})"
    some = [f"{each.what} {each.before} → {each.after}" for each in case.differences[:LISTED]]
    more = len(case.differences) - len(some)
    return f"moves: {', '.join(some)}" + (f" and {more} more" if more else "")


def render_headline(changes: Iterable[str], found: Consequences) -> str:
    """All of it in one line."""
    parts = []
    if found.machines:
        parts.append(f"{len(found.hurt)} of {_many(found.machines, 'machine')} hurt")
    else:
        parts.append("there are no machines to hurt")
    if found.cases:
        broken = sum(case.turn is OutcomeChange.NO_LONGER_FITS for case in found.cases)
        verb = "fits" if broken == 1 else "fit"
        parts.append(f"{broken} of {_many(len(found.cases), 'request')} no longer {verb}")
        never = sum(not case.before.plans and not case.after.plans for case in found.cases)
        parts += [f"{never} refused before and after"] if never else []
    return f"with {', '.join(changes)}: {', '.join(parts)}"


def render_headroom(found: Headroom, before: Headroom | None = None) -> str:
    """How many of the machines fit, on which hosts, and what stops the next."""
    hosts = ", ".join(f"{host} ×{count}" for host, count in found.hosts[:LISTED])
    more = len(found.hosts) - LISTED
    where = f" ({hosts}{f' and {more} more hosts' if more > 0 else ''})" if found.hosts else ""
    was = f"; without the change {before.fit}" if before is not None and before.fit != found.fit else ""
    stop = f"; the next: {_refused(found.stop.refusal)}" if found.stop is not None else ""
    return f"room: {found.fit} of {found.wanted} fit{where}{was}{stop}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _refusal_of(found: JointDecision) -> str:
    which = f"machine {found.refused_at + 1} finds no place: " if found.refused_at else ""
    return which + _refused(found.explanations[0].refusal)


def _refused(refusal: Refusal | None) -> str:
    if refusal is None:
        return "refused"
    text = render_refusal(refusal)
    return f"{text}: {refusal.found}" if refusal.code is RequestCode.NO_HOST_FITS else text


def _hosts(found: JointDecision) -> str:
    counts = host_counts(found.plans)
    if len(found.plans) == 1:
        return next(iter(counts))
    return ", ".join(f"{host} ×{count}" if count > 1 else host for host, count in counts.items())


def _placed(found: JointDecision) -> str:
    nics = f": {_nics(found.plans[0].interfaces)}" if len(found.plans) == 1 else ""
    return f"{_hosts(found)}{nics}"


def _nics(nics: Iterable[MachineInterface]) -> str:
    return ", ".join(_nic(nic) for nic in nics)


def _nic(nic: MachineInterface) -> str:
    mode = f" ({nic.attachment.mode})" if nic.attachment.mode else ""
    return f"{nic.name} on {nic.attachment.source}{mode}"
