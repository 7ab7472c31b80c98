"""Explanations that earlier versions stored are still read, and are written as they were."""

import json
from pathlib import Path
from typing import Any

import pytest

from hostloom.decide.explain.explain import render
from hostloom.model.plan import Explanation, HostExplanation, LabelExplanation
from hostloom.serialization import from_json, to_json

FILE = Path(__file__).parents[1] / "fixtures" / "explanations.json"
RECORDED: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
#: What the first version did not store yet.
LATER = {
    Explanation: ("others", "host_reason", "host_runner_up", "suggestions"),
    HostExplanation: ("pools",),
    LabelExplanation: ("attach", "macvlan_mode", "vlan", "addresses", "boot"),
}


@pytest.mark.parametrize("data", RECORDED.values(), ids=list(RECORDED))
def test_a_recorded_explanation_is_read_and_written_again(data: dict[str, Any]) -> None:
    explanation = from_json(data, Explanation)
    assert json.loads(json.dumps(to_json(explanation))) == data
    assert render(explanation)


@pytest.mark.parametrize("data", RECORDED.values(), ids=list(RECORDED))
def test_what_the_first_version_did_not_store_has_its_default(data: dict[str, Any]) -> None:
    explanation = from_json(_first(data), Explanation)
    assert (explanation.others, explanation.host_reason, explanation.suggestions) == ((), "", ())
    assert (explanation.chosen, explanation.warnings) == (
        data["chosen"],
        from_json(data, Explanation).warnings,
    )
    assert [host.host for host in explanation.hosts] == [host["host"] for host in data["hosts"]]
    assert all(host.pools == () for host in explanation.hosts)
    assert all(label.addresses == () for host in explanation.hosts for label in host.labels)


def _first(data: dict[str, Any]) -> dict[str, Any]:
    """An explanation as the first version stored it."""
    hosts = [
        _without(host, HostExplanation)
        | {"labels": [_without(label, LabelExplanation) for label in host["labels"]]}
        for host in data["hosts"]
    ]
    return _without(data, Explanation) | {"hosts": hosts}


def _without(data: dict[str, Any], kind: type) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in LATER[kind]}
