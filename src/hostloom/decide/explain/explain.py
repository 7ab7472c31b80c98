"""Explanations as text, for the command line, API and UI."""

from collections.abc import Iterable

from hostloom.decide.explain.changes import render_suggestion
from hostloom.decide.explain.reason_texts import (
    HOST_REASONS,
    REASONS,
    pool_reason,
    render_refusal,
    render_rejection,
    render_warning,
)
from hostloom.model.plan import Explanation, HostExplanation, HostGroup, LabelExplanation
from hostloom.model.reasons import Refusal, Rejection, RejectionCode, RequestCode, SubjectKind

#: Maximum number of hosts or names in a line; further ones are counted.
LISTED = 8

#: Maximum number of hosts with reasons in the line of a refusal; further ones are counted.
REASONS_TOLD = 3

#: Short texts for interfaces that no request can use.
_UNFIT = {
    RejectionCode.LOOPBACK: "the loopback",
    RejectionCode.INTERFACE_DISABLED: "disabled",
    RejectionCode.INTERFACE_LINK_DOWN: "no link",
    RejectionCode.INTERFACE_IS_MEMBER: "{found}",
    RejectionCode.DSA_CONDUIT: "the conduit of a switch",
    RejectionCode.WIRELESS: "Wi-Fi",
    RejectionCode.INFINIBAND: "InfiniBand",
    RejectionCode.OVS_UNREADABLE: "Open vSwitch's database cannot be read",
    RejectionCode.BRIDGE_WITHOUT_PVID: "has no VLAN for machines: no vlan_default_pvid",
    RejectionCode.VLAN_NOT_CARRIED: "none of its NICs carries {found}",
}


def render(explanation: Explanation, now: float | None = None) -> list[str]:
    """The decision, the reasons and alternatives of every NIC, then the other hosts.

    `now`, in seconds since the epoch, determines the age of the facts.
    """
    lines = [_headline(explanation, now)]
    host_explanations = _shown(explanation)
    for host in host_explanations:
        lines += [line for label in host.labels for line in _label(label, host.host)]
        lines += _unfit(host)
        if host.pools:
            lines.append(f"for no disk: {', '.join(map(pool_reason, host.pools))}")
    lines += _others(explanation, host_explanations)
    lines += [f"warning: {render_warning(warning)}" for warning in explanation.warnings]
    return lines + [render_suggestion(suggestion) for suggestion in explanation.suggestions]


def summary_of(explanation: Explanation) -> str:
    """A refusal in one line, with the reasons of the first hosts if none fits; empty without a refusal."""
    if explanation.refusal is None:
        return ""
    text = render_refusal(explanation.refusal)
    if explanation.refusal.code is not RequestCode.NO_HOST_FITS:
        return text
    lines = [line for line in _others(explanation, []) if line.startswith("not")]
    reasons = [line.removeprefix("not, for ").removeprefix("not ") for line in lines]
    if len(reasons) > REASONS_TOLD:
        reasons = [*reasons[:REASONS_TOLD], f"and {len(reasons) - REASONS_TOLD} more"]
    return f"{text}: {'; '.join(reasons)}" if reasons else text


def hint_of(explanation: Explanation) -> str:
    """The smallest change that makes a refused request fit; empty if none is known."""
    return render_suggestion(explanation.suggestions[0]) if explanation.suggestions else ""


def _headline(explanation: Explanation, now: float | None) -> str:
    if explanation.refusal is not None:
        return f"refused: {render_refusal(explanation.refusal)}"
    chosen = explanation.hosts[0] if explanation.hosts else HostExplanation(explanation.chosen or "")
    score = dict(chosen.score)
    left = f"{score.get('memory-left-mib', '?')} MiB and {score.get('cores-left', '?')} cores left"
    reason = ""
    if explanation.host_reason:
        reason = f"; before {explanation.host_runner_up}: {HOST_REASONS[explanation.host_reason]}"
    return f"host {chosen.host}: {left}{reason}{_age(chosen, now)}"


def _age(host: HostExplanation, now: float | None) -> str:
    if now is None or host.facts_at is None:
        return ""
    return f" (read {_duration(now - host.facts_at)} ago)"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def _shown(explanation: Explanation) -> list[HostExplanation]:
    """The hosts with explained NICs: the chosen one, or the only one of a refusal."""
    is_alone = len(explanation.hosts) == 1 and not explanation.others
    return [host for host in explanation.hosts if is_alone or host.host == explanation.chosen]


# -- NICs ------------------------------------------------------------------------------------------------


def _label(label: LabelExplanation, host: str) -> list[str]:
    by_code: dict[RejectionCode, list[Rejection]] = {}
    for rejection in label.rejections:
        by_code.setdefault(rejection.code, []).append(rejection)
    lines = [_winner(label)] if label.winner else [f"{label.label}: nothing"]
    if preferred := by_code.pop(RejectionCode.LOWER_PREFERENCE, None):
        lines.append(f"  alternatives: {_listed(_name(rejection) for rejection in preferred)}")
    lines += _unmet(by_code.pop(RejectionCode.CONSTRAINT_NOT_MET, []), "{}")
    lines += _unmet(by_code.pop(RejectionCode.ATTACH_KIND, []), "attach={}")
    for code in _UNFIT:
        by_code.pop(code, None)
    if for_containers := by_code.pop(RejectionCode.CONTAINER_BRIDGE, None):
        lines.append(f"  for containers, only by name: {_listed(_name(bridge) for bridge in for_containers)}")
    if missing := by_code.pop(RejectionCode.NETWORK_MISSING, None):
        lines.append(f"  no libvirt network {' or '.join(rejection.subject for rejection in missing)}")
    return lines + [
        f"  not {render_rejection(rejection, host)}"
        for rejections in by_code.values()
        for rejection in rejections
    ]


def _unfit(host: HostExplanation) -> list[str]:
    """Interfaces that no label can use, listed once for all labels."""
    reasons = dict.fromkeys(
        rejection for label in host.labels for rejection in label.rejections if rejection.code in _UNFIT
    )
    ordered = [rejection for code in _UNFIT for rejection in reasons if rejection.code is code]
    return [f"not usable: {_with_found(ordered)}"] if ordered else []


def _unmet(rejections: list[Rejection], form: str) -> list[str]:
    """One line for every requirement that was not met."""
    by_wanted: dict[str, list[Rejection]] = {}
    for rejection in rejections:
        by_wanted.setdefault(rejection.wanted, []).append(rejection)
    return [
        f"  not {form.format(wanted)}: {_with_found(rejections)}" for wanted, rejections in by_wanted.items()
    ]


def _winner(label: LabelExplanation) -> str:
    if not label.attach:
        reasons = "; ".join(REASONS.get(reason, reason) for reason in label.reasons)
        return f"{label.label}: {label.winner} would be first: {reasons}"
    mode = f" ({label.macvlan_mode})" if label.macvlan_mode else ""
    facts = [f"{label.attach} {label.winner}{mode}"]
    facts += [f"VLAN {label.vlan}"] if label.vlan else []
    facts += label.addresses
    facts += ["boots"] if label.boot else []
    return f"{label.label}: {', '.join(facts)}: {REASONS[label.reasons[-1]]}"


def _name(rejection: Rejection) -> str:
    is_network = rejection.subject_kind is SubjectKind.LIBVIRT_NETWORK
    return f"network {rejection.subject}" if is_network else rejection.subject


def _with_found(rejections: Iterable[Rejection]) -> str:
    """`br1, eth3 (fabric-0/10), lo (the loopback)`: subjects with the same reason share it."""
    by_reason: dict[str, list[str]] = {}
    for rejection in rejections:
        text = _UNFIT.get(rejection.code, "{found}").format(found=rejection.found)
        by_reason.setdefault(text, []).append(_name(rejection))
    return ", ".join(f"{_listed(names)} ({text})" for text, names in by_reason.items())


def _listed(names: Iterable[str], count: int | None = None) -> str:
    """The first names; `count` is the total number if not all are given."""
    items = list(names)
    more = (len(items) if count is None else count) - len(items[:LISTED])
    return ", ".join(items[:LISTED]) + (f" and {more} more" if more > 0 else "")


# -- other hosts -----------------------------------------------------------------------------------------


def _others(explanation: Explanation, host_explanations: list[HostExplanation]) -> list[str]:
    """Other suitable hosts in one line; unsuitable ones with their reasons, or with counts by code."""
    remaining = [host for host in explanation.hosts if host not in host_explanations]
    refused = [_refused(host.host, host.refusal) for host in remaining if host.refusal is not None]
    groups = [_group(group) for group in explanation.others if group.code is not None]
    return [*_fitting(explanation, remaining), *refused, *groups]


def _fitting(explanation: Explanation, remaining: list[HostExplanation]) -> list[str]:
    names = [host.host for host in remaining if host.refusal is None]
    groups = [group for group in explanation.others if group.code is None]
    count = len(names) + sum(group.count for group in groups)
    names += [name for group in groups for name in group.hosts]
    return [f"other suitable hosts: {_listed(names, count)}"] if count else []


def _refused(host: str, refusal: Refusal) -> str:
    """`not kvm1: it has 512 MiB free, …`, with the name only once."""
    text = render_refusal(refusal)
    itself = f"host {host} "
    return f"not {host}: it {text.removeprefix(itself)}" if text.startswith(itself) else f"not {host}: {text}"


def _group(group: HostGroup) -> str:
    return f"not, for {group.code}: {_listed(group.hosts, group.count)}"
