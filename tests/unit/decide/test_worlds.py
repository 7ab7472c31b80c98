"""Every case of every world file passes, every plan passes the checker, and explanations survive storage."""

import json

import pytest

from hostloom.decide.check.check import check
from hostloom.decide.dry_run import simulate
from hostloom.decide.explain import explain
from hostloom.model.plan import Explanation
from hostloom.model.reasons import RejectionCode, RequestCode, WarningCode
from hostloom.serialization import from_json, to_json
from hostloom.simulation.cases import differences, rejections
from hostloom.simulation.dump_world import dump_world
from hostloom.simulation.outcomes import outcome, outcome_differences
from hostloom.simulation.world_file import Case, WorldDocument, read_world
from support.worlds import ACCEPTANCE, IMAGE_CODES, load

FILES = sorted(ACCEPTANCE.rglob("*.yaml"))
WORLDS = {path: load(path) for path in FILES}
CASES = [
    pytest.param(world, case, id=f"{path.stem}:{case.name}")
    for path, world in WORLDS.items()
    for case in world.cases
]


@pytest.mark.parametrize(("world", "case"), CASES)
def test_case(world: WorldDocument, case: Case) -> None:
    found = outcome(world.snapshot, case)
    assert outcome_differences(world.snapshot, case, found) == []
    for plan in found.plans:
        assert check(world.snapshot, case.request, plan) == ()
    for explanation in found.explanations:
        stored = json.loads(json.dumps(to_json(explanation)))
        assert from_json(stored, Explanation) == explanation
        assert all(line and "{" not in line for line in explain.render(explanation))


def test_a_wrong_expectation_fails() -> None:
    world = load(ACCEPTANCE / "shared/preference.yaml")
    case = world.cases[0]
    decision = simulate(world.snapshot, case.request)
    for wrong in (
        {"error": "unknown-space"},
        {"host": "other"},
        {"interfaces": []},
        {"interfaces": [{"source": "br10"}]},
        {"interfaces": [{"colour": "red"}]},
        {"warnings": ["isolated-network"]},
        {"rejected": {"br10": "loopback"}},
    ):
        assert differences(world.snapshot, Case("x", case.request, wrong), decision)


def test_every_code_is_produced_by_a_world() -> None:
    seen: set[object] = set()
    for world in WORLDS.values():
        for case in world.cases:
            for explanation in outcome(world.snapshot, case).explanations:
                seen |= {explanation.refusal.code} if explanation.refusal else set()
                seen |= {each.code for each in explanation.warnings}
                seen |= set(rejections(explanation).values())
    assert {*RequestCode, *RejectionCode, *WarningCode} - seen == {*IMAGE_CODES, WarningCode.CANNOT_REPORT}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_exported_world_decides_the_same(path: object) -> None:
    world = WORLDS[path]  # type: ignore[index]
    again = read_world(json.loads(json.dumps(dump_world(world.snapshot))))
    for case in world.cases:
        before, after = (simulate(each.snapshot, case.request) for each in (world, again))
        assert (before.plan is None) == (after.plan is None)
        if before.plan is not None and after.plan is not None:
            assert before.plan.interfaces == after.plan.interfaces
            assert before.plan.host_name == after.plan.host_name
