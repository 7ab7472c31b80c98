"""What callers of the error classes write: every problem goes on the sentence that field and value begin."""

import ast
from collections.abc import Iterator
from pathlib import Path

import hostloom

SOURCE = Path(hostloom.__file__).parent
CLASSES = {"InvalidValue", "ConfigError", "Conflict"}
#: How a problem may begin: a verb, or "and" for a second field. "of 12 bytes is not JSON" has its verb later.
VERBS = (
    "is",
    "appears",
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


def test_every_problem_begins_with_a_verb() -> None:
    written = list(problems())
    assert len(written) > 100
    assert [f"{place}: {text!r}" for place, text in written if text.split()[0] not in BEGINNINGS] == []
