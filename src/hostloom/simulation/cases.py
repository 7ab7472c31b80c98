"""Hold a decision against what a world file's case expects."""

from typing import Any

from hostloom.decide.snapshot import Snapshot
from hostloom.model.machine import MachineInterface
from hostloom.model.plan import (
    Decision,
    Explanation,
    Refusal,
    RejectionCode,
    WarningCode,
)
from hostloom.simulation.world_file import Case

_FURTHEST = {code: position for position, code in enumerate(RejectionCode)}


def differences(snapshot: Snapshot, case: Case, decision: Decision) -> list[str]:
    """What is not as expected, one line each; empty when the case passes."""
    found = error_difference(case, decision.explanation.refusal)
    if found:
        return found
    plan = decision.plan
    if plan is not None:
        if (host := case.expect.get("host")) is not None and host != plan.host_name:
            found.append(f"host: expected {host}, found {plan.host_name}")
        if (interfaces := case.expect.get("interfaces")) is not None:
            found += _interfaces(snapshot, interfaces, plan.interfaces)
    found += warning_differences(case, {warning.code for warning in decision.explanation.warnings})
    rejected = rejections(decision.explanation)
    for subject, wanted in (case.expect.get("rejected") or {}).items():
        if rejected.get(subject) != wanted:
            found.append(f"rejected {subject}: expected {wanted}, found {rejected.get(subject, 'nothing')}")
    return found


def error_difference(case: Case, refusal: Refusal | None) -> list[str]:
    """Of the error that is expected, or the plan."""
    wanted, code = case.expect.get("error"), refusal.code if refusal else None
    return [] if code == wanted else [f"error: expected {wanted or 'a plan'}, found {code or 'a plan'}"]


def warning_differences(case: Case, found: set[WarningCode]) -> list[str]:
    """Of the warnings that are expected."""
    told = ", ".join(sorted(found)) or "none"
    wanted = case.expect.get("warnings") or ()
    return [f"warnings: expected {each}, found {told}" for each in wanted if each not in found]


def rejections(explanation: Explanation) -> dict[str, RejectionCode]:
    """Per host interface, network or storage pool of the chosen (or only) host, why it was not used.

    Of several labels, the one for which it came furthest; what some label uses is not rejected.
    """
    if not explanation.hosts:
        return {}
    labels = explanation.hosts[0].labels
    used = {label.winner for label in labels}
    codes: dict[str, RejectionCode] = {}
    for label in labels:
        for rejection in label.rejections:
            before = codes.get(rejection.subject)
            if before is None or _FURTHEST[rejection.code] > _FURTHEST[before]:
                codes[rejection.subject] = rejection.code
    rejection_codes = {subject: code for subject, code in codes.items() if subject not in used}
    pools = {rejection.subject: rejection.code for rejection in explanation.hosts[0].pools}
    return pools | rejection_codes


def _interfaces(
    snapshot: Snapshot, wanted: list[dict[str, Any]], found: tuple[MachineInterface, ...]
) -> list[str]:
    if len(wanted) != len(found):
        return [f"interfaces: expected {len(wanted)}, found {len(found)}"]
    lines = []
    for expected, nic in zip(wanted, found, strict=True):
        actual = as_data(snapshot, nic)
        for key, value in expected.items():
            if key not in actual:
                lines.append(f"{nic.name}: unknown key {key!r} in the expectation")
            elif actual[key] != _plain(value):
                lines.append(f"{nic.name} {key}: expected {_plain(value)}, found {actual[key]}")
    return lines


def _plain(value: Any) -> Any:
    return [str(each) for each in value] if isinstance(value, list) else value


def as_data(snapshot: Snapshot, nic: MachineInterface) -> dict[str, Any]:
    """A NIC as world files write it."""
    ips = [str(ip) for ip in nic.ips]
    return {
        "name": nic.name,
        "attach": nic.attachment.kind.value,
        "source": nic.attachment.source,
        "mode": nic.attachment.mode.value if nic.attachment.mode else None,
        "vlan": snapshot.vlan_name(nic.vlan_id),
        "ip": None if not ips else ips[0] if len(ips) == 1 else ips,
        "boot": nic.boot,
    }
