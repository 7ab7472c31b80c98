"""Explanations as plain JSON data, and back."""

from dataclasses import replace
from typing import Any

from hostloom.model.hypothetical import ChangeKind, HypotheticalChange, Suggestion
from hostloom.model.plan import (
    Explanation,
    HostExplanation,
    HostGroup,
    LabelExplanation,
    PlanWarning,
    Refusal,
    Rejection,
    RejectionCode,
    RequestCode,
    SubjectKind,
    WarningCode,
)

#: Names kept of a group of hosts in a stored explanation.
STORED_NAMES = 20


def stored_data(explanation: Explanation) -> dict[str, Any]:
    """As `as_data`, of a size that does not grow with the number of hosts: what is stored with a machine."""
    groups = tuple(replace(other, hosts=other.hosts[:STORED_NAMES]) for other in explanation.others)
    return as_data(replace(explanation, others=groups))


def as_data(explanation: Explanation) -> dict[str, Any]:
    """Plain JSON data; `from_data(as_data(x)) == x`."""
    return {
        "chosen": explanation.chosen,
        "refusal": _fields(explanation.refusal) if explanation.refusal else None,
        "hosts": [
            {
                "host": host.host,
                "refusal": _fields(host.refusal) if host.refusal else None,
                "labels": [
                    {
                        "label": label.label,
                        "winner": label.winner,
                        "reasons": list(label.reasons),
                        "runners_up": list(label.runners_up),
                        "rejections": [_fields(rejection) for rejection in label.rejections],
                        "attach": label.attach,
                        "macvlan_mode": label.macvlan_mode,
                        "vlan": label.vlan,
                        "addresses": list(label.addresses),
                        "boot": label.boot,
                    }
                    for label in host.labels
                ],
                "score": [list(pair) for pair in host.score],
                "facts_at": host.facts_at,
                "pools": [_fields(pool) for pool in host.pools],
            }
            for host in explanation.hosts
        ],
        "warnings": [_fields(warning) for warning in explanation.warnings],
        "others": [
            {"code": group.code, "count": group.count, "hosts": list(group.hosts)}
            for group in explanation.others
        ],
        "host_reason": explanation.host_reason,
        "host_runner_up": explanation.host_runner_up,
        "suggestions": [
            {"host": suggestion.host, "changes": [_fields(change) for change in suggestion.changes]}
            for suggestion in explanation.suggestions
        ],
    }


def _fields(item: Refusal | Rejection | PlanWarning | HypotheticalChange) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def from_data(data: dict[str, Any]) -> Explanation:
    """The explanation that `as_data` wrote."""
    return Explanation(
        data["chosen"],
        _refusal(data["refusal"]),
        tuple(_host(each) for each in data["hosts"]),
        tuple(PlanWarning(**{**each, "code": WarningCode(each["code"])}) for each in data["warnings"]),
        tuple(_group(each) for each in data.get("others", ())),
        data.get("host_reason", ""),
        data.get("host_runner_up", ""),
        tuple(_suggestion(each) for each in data.get("suggestions", ())),
    )


def _group(data: dict[str, Any]) -> HostGroup:
    code = data["code"]
    return HostGroup(None if code is None else RequestCode(code), data["count"], tuple(data["hosts"]))


def _suggestion(data: dict[str, Any]) -> Suggestion:
    changes = (HypotheticalChange(**{**each, "kind": ChangeKind(each["kind"])}) for each in data["changes"])
    return Suggestion(tuple(changes), data["host"])


def _refusal(data: dict[str, Any] | None) -> Refusal | None:
    if data is None:
        return None
    kind = SubjectKind(data["subject_kind"])
    return Refusal(**{**data, "code": RequestCode(data["code"]), "subject_kind": kind})


def _host(data: dict[str, Any]) -> HostExplanation:
    return HostExplanation(
        data["host"],
        _refusal(data["refusal"]),
        tuple(_label_from(each) for each in data["labels"]),
        tuple((name, value) for name, value in data["score"]),
        data["facts_at"],
        tuple(_rejection(each) for each in data.get("pools", ())),
    )


def _rejection(data: dict[str, Any]) -> Rejection:
    code, kind = RejectionCode(data["code"]), SubjectKind(data["subject_kind"])
    return Rejection(**{**data, "code": code, "subject_kind": kind})


def _label_from(data: dict[str, Any]) -> LabelExplanation:
    return LabelExplanation(
        data["label"],
        data["winner"],
        tuple(data["reasons"]),
        tuple(data["runners_up"]),
        tuple(_rejection(each) for each in data["rejections"]),
        data.get("attach", ""),
        data.get("macvlan_mode", ""),
        data.get("vlan", ""),
        tuple(data.get("addresses", ())),
        data.get("boot", False),
    )
