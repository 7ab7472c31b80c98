"""Comparison of a decision with the expected outcome of a case."""

from typing import Any

from hostloom.decide.snapshot import Snapshot
from hostloom.model.machine import MachineInterface
from hostloom.model.plan import Decision, Explanation
from hostloom.model.reasons import Refusal, RejectionCode, WarningCode
from hostloom.simulation.world_file import Case

_FURTHEST = {code: position for position, code in enumerate(RejectionCode)}


def differences(snapshot: Snapshot, case: Case, decision: Decision) -> list[str]:
    """List the differences, one line each. An empty list means that the case passes."""
    lines = error_difference(case, decision.explanation.refusal)
    if lines:
        return lines
    plan = decision.plan
    if plan is not None:
        if (host := case.expect.get("host")) is not None and host != plan.host_name:
            lines.append(f"host: expected {host}, found {plan.host_name}")
        if (interfaces := case.expect.get("interfaces")) is not None:
            lines += _interfaces(snapshot, interfaces, plan.interfaces)
    lines += warning_differences(case, {warning.code for warning in decision.explanation.warnings})
    rejected = rejections(decision.explanation)
    for subject, expected in (case.expect.get("rejected") or {}).items():
        if rejected.get(subject) != expected:
            lines.append(f"rejected {subject}: expected {expected}, found {rejected.get(subject, 'nothing')}")
    return lines


def error_difference(case: Case, refusal: Refusal | None) -> list[str]:
    """Compare the refusal with the expected error."""
    expected, code = case.expect.get("error"), refusal.code if refusal else None
    return [] if code == expected else [f"error: expected {expected or 'a plan'}, found {code or 'a plan'}"]


def warning_differences(case: Case, codes: set[WarningCode]) -> list[str]:
    """List the expected warnings that are missing."""
    actual = ", ".join(sorted(codes)) or "none"
    expected = case.expect.get("warnings") or ()
    return [f"warnings: expected {code}, found {actual}" for code in expected if code not in codes]


def rejections(explanation: Explanation) -> dict[str, RejectionCode]:
    """Return the reason for each unused interface, network and storage pool of the chosen (or only) host.

    Of the reasons for several labels the furthest in the order of checks counts. Used ones have no reason.
    """
    if not explanation.hosts:
        return {}
    labels = explanation.hosts[0].labels
    used = {label.winner for label in labels}
    codes: dict[str, RejectionCode] = {}
    for label in labels:
        for rejection in label.rejections:
            previous = codes.get(rejection.subject)
            if previous is None or _FURTHEST[rejection.code] > _FURTHEST[previous]:
                codes[rejection.subject] = rejection.code
    rejection_codes = {subject: code for subject, code in codes.items() if subject not in used}
    pools = {rejection.subject: rejection.code for rejection in explanation.hosts[0].pools}
    return pools | rejection_codes


def _interfaces(
    snapshot: Snapshot, expectations: list[dict[str, Any]], nics: tuple[MachineInterface, ...]
) -> list[str]:
    if len(expectations) != len(nics):
        return [f"interfaces: expected {len(expectations)}, found {len(nics)}"]
    lines = []
    for expected, nic in zip(expectations, nics, strict=True):
        actual = as_data(snapshot, nic)
        for key, value in expected.items():
            if key not in actual:
                lines.append(f"{nic.name}: unknown key {key!r} in the expectation")
            elif actual[key] != _plain(value):
                lines.append(f"{nic.name} {key}: expected {_plain(value)}, found {actual[key]}")
    return lines


def _plain(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, list) else value


def as_data(snapshot: Snapshot, nic: MachineInterface) -> dict[str, Any]:
    """Describe a NIC in the format of world files."""
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
