"""docs/explanation/deciding.md and the code are kept in step: rules, their order, codes and examples."""

import ast
import re
from pathlib import Path

import pytest

from hostloom.decide.dry_run import simulate
from hostloom.decide.explain.explain import render
from hostloom.decide.suggest.suggest import INVASION, advised
from hostloom.model.hypothetical import ChangeKind
from hostloom.model.reasons import RejectionCode, RequestCode, WarningCode
from support.worlds import ACCEPTANCE, load

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/explanation/deciding.md").read_text()
WORLD = load(ACCEPTANCE / "own/deciding.yaml")
EXAMPLES = re.findall(r"<!-- case: (\S+) -->\n```text\n\$ (.*)\n((?:.*\n)*?)```", PAGE)


@pytest.mark.parametrize(("name", "command", "answer"), EXAMPLES, ids=[name for name, _, _ in EXAMPLES])
def test_every_example_is_what_the_code_answers(name: str, command: str, answer: str) -> None:
    request = next(case.request for case in WORLD.cases if case.name == name)
    decision = advised(WORLD.snapshot, request, simulate(WORLD.snapshot, request))
    assert answer.splitlines() == render(decision.explanation)
    for part in (request.interfaces, request.host):
        assert not part or part in command


def test_every_case_of_its_world_is_an_example() -> None:
    assert [name for name, _, _ in EXAMPLES] == [case.name for case in WORLD.cases]


def test_every_rule_of_the_code_is_on_the_page_and_no_other() -> None:
    assert named_on_page() - {"request_completes", "is_preferred", "is_not_taken"} <= rules_of_the_code()
    assert rules_of_the_code() <= named_on_page()


#: Functions that say no, and the position of the rule's name among their arguments.
SAY_NO = {
    "refuse": 0,
    "reject": 0,
    "Exclusion": 0,
    "Refusal": 0,
    "Rejection": 0,
    "_label_refusal": 0,
    "_no": 1,
}


def rules_of_the_code() -> set[str]:
    """The rules that say no anywhere in decide/."""
    found: set[object] = set()
    for path in (ROOT / "src/hostloom/decide").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in SAY_NO:
                place = SAY_NO[called(node)]
                arguments = node.args[place : place + 1]
                found |= {each.value for each in arguments if isinstance(each, ast.Constant)}
    return {str(each) for each in found}


def called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def named_on_page() -> set[str]:
    named = re.findall(r"(?:^\| |, |; |\(rule\s)`([a-z]+(?:_[a-z]+)+)`", PAGE, flags=re.MULTILINE)
    return set(named) - {"installed_by", "macvlan_mode"}


def test_every_change_that_is_suggested_is_on_the_page_the_least_invasive_first() -> None:
    section = PAGE[PAGE.index("## 10.") : PAGE.index("## Warnings")]
    listed = list(dict.fromkeys(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", section)))
    invasions = [INVASION[ChangeKind(each)] for each in listed if each in tuple(ChangeKind)]
    assert {each for each in listed if each in tuple(ChangeKind)} == {str(each) for each in INVASION}
    assert invasions == sorted(invasions)


def test_codes_come_in_the_order_in_which_they_are_checked() -> None:
    told = list(dict.fromkeys(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PAGE)))
    for codes in (RequestCode, RejectionCode, WarningCode):
        assert {str(each) for each in codes if "-" in each} <= set(told)
    numbered = PAGE[PAGE.index("## 1.") : PAGE.index("## 3.")]
    listed = list(dict.fromkeys(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", numbered)))
    in_order = [str(code) for code in RequestCode if code in listed]
    assert [code for code in listed if code in in_order] == in_order
