"""What callers of the error classes write: every problem goes on the sentence that field and value begin."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import hostloom

SOURCE = Path(hostloom.__file__).parent
CLASSES = {"InvalidValue", "ConfigError", "Conflict"}
#: How a problem may begin: a verb, or "and" for a second field. "of 12 bytes is not JSON" has its verb later.
VERBS = (
    "is",
    "has",
    "cannot",
    "does",
    "contains",
    "would",
    "needs",
    "repeat",
    "repeats",
    "overlaps",
    "stands",
)
BEGINNINGS = (*VERBS, "begins", "already", "and", "of", "on")


def problems() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES:
                text = node.args[2] if len(node.args) > 2 else None
                if isinstance(text, ast.JoinedStr):
                    text = text.values[0]
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", text.value


@pytest.mark.parametrize(("place", "problem"), list(problems()))
def test_a_problem_begins_with_a_verb(place: str, problem: str) -> None:
    assert problem.split()[0] in BEGINNINGS, f"{place}: {problem!r}"


def test_there_are_problems_to_look_at() -> None:
    assert len(list(problems())) > 100
