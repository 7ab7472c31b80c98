"""Hold a decision against what a world file's case expects."""

from collections.abc import Mapping
from typing import Any

from hostloom.decide.compose import decide, labels_needed
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.worlds.world import Case
from hostloom.model.ids import HostId, MacAddress, SystemId, VlanId
from hostloom.model.plan import (
    Decision,
    Explanation,
    PlannedInterface,
    Refusal,
    RejectionCode,
    WarningCode,
)
from hostloom.model.request import ComposeRequest, Identities

NOBODY: Mapping[HostId, Refusal] = {}
_FURTHEST = {code: position for position, code in enumerate(RejectionCode)}


def simulate(
    snapshot: Snapshot, request: ComposeRequest, barred: Mapping[HostId, Refusal] = NOBODY
) -> Decision:
    """Decide with made-up identities, at the time 0: a simulation reserves nothing."""
    return decide(snapshot, request, identities_of(request, 0), barred)


def identities_of(request: ComposeRequest, number: int) -> Identities:
    """Names, UUID and MACs of the machine of this number, no two alike."""
    first = number << 8
    macs = tuple(
        MacAddress("52:54:" + (first + at).to_bytes(4, "big").hex(":"))
        for at in range(labels_needed(request))
    )
    system_id = SystemId("simula" if number == 0 else f"s{number:05}")
    name = request.hostname or ("simulated" if number == 0 else f"simulated-{number + 1}")
    return Identities(system_id, name, f"00000000-0000-4000-8000-{number:012}", macs, 0.0)


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
    found += warning_differences(case, {each.code for each in decision.explanation.warnings})
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
    used = {each.winner for each in labels}
    codes: dict[str, RejectionCode] = {}
    for label in labels:
        for each in label.rejections:
            before = codes.get(each.subject)
            if before is None or _FURTHEST[each.code] > _FURTHEST[before]:
                codes[each.subject] = each.code
    found = {subject: code for subject, code in codes.items() if subject not in used}
    pools = {rejection.subject: rejection.code for rejection in explanation.hosts[0].pools}
    return pools | found


def _interfaces(
    snapshot: Snapshot, wanted: list[dict[str, Any]], found: tuple[PlannedInterface, ...]
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


def as_data(snapshot: Snapshot, nic: PlannedInterface) -> dict[str, Any]:
    """A NIC as world files write it."""
    ips = [str(ip) for ip in nic.ips]
    return {
        "name": nic.name,
        "attach": nic.attachment.kind.value,
        "source": nic.attachment.source,
        "mode": nic.attachment.mode.value if nic.attachment.mode else None,
        "vlan": vlan_text(snapshot, nic.vlan_id),
        "ip": None if not ips else ips[0] if len(ips) == 1 else ips,
        "boot": nic.boot,
    }


def vlan_text(snapshot: Snapshot, vlan_id: VlanId | None) -> str | None:
    """FABRIC/VID."""
    if vlan_id is None:
        return None
    vlan = snapshot.vlan_by_id[vlan_id]
    return f"{snapshot.fabric_by_id[vlan.fabric_id].name}/{vlan.vid}"
