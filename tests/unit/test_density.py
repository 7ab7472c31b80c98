"""Functions and files stay short and simple: the limits are those of STYLE.md, counted by radon."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from radon.complexity import cc_visit_ast
from radon.visitors import Class, Function

ROOT = Path(__file__).parents[2]
FILES = sorted(chain.from_iterable((ROOT / folder).rglob("*.py") for folder in ("src", "packages", "bench")))
#: Files that tests/support/client_types.py writes, which may be long.
GENERATED = [ROOT / "src/hostloom/client" / name for name in ("answers.py", "keys.py")]

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_COMPLEXITY = 12

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def complex_functions(tree: ast.Module) -> Iterator[str]:
    """Functions with too many branches; those of nested functions count for the function around them."""
    for function in _functions(cc_visit_ast(tree)):
        if function.complexity > MAX_COMPLEXITY:
            yield f"{function.lineno}: {function.fullname} has a complexity of {function.complexity}"


def _functions(blocks: list[Class | Function]) -> Iterator[Function]:
    for block in blocks:
        if isinstance(block, Function):
            yield block
        else:
            yield from _functions([*block.methods, *block.inner_classes])


def long_functions(tree: ast.Module) -> Iterator[str]:
    """Functions with too many lines, from `def` to the end; decorators do not count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {lines} lines"


def nested_conditions(tree: ast.Module) -> Iterator[str]:
    """Comprehensions in which one condition (`if`, or `… if … else …`) is inside another."""
    for node in ast.walk(tree):
        if isinstance(node, Comprehension) and _condition_depth(node) > 1:
            yield f"{node.lineno}: a comprehension has nested conditions"


def _condition_depth(node: ast.AST) -> int:
    """How many conditions stand inside each other; all parts of a comprehension are inside its conditions."""
    inner = max(map(_condition_depth, ast.iter_child_nodes(node)), default=0)
    if isinstance(node, Comprehension):
        return inner + sum(len(generator.ifs) for generator in node.generators)
    return inner + isinstance(node, ast.IfExp)


CHECKS = [complex_functions, long_functions, nested_conditions]


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("check", CHECKS)
def test_no_function_breaks_a_limit(check: Callable[[ast.Module], Iterator[str]]) -> None:
    assert [f"{file.relative_to(ROOT)}:{offence}" for file in FILES for offence in check(_tree(file))] == []


def test_no_file_is_long() -> None:
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    long = [file for file in FILES if lines[file] > MAX_FILE_LINES and file not in GENERATED]
    assert [f"{file.relative_to(ROOT)} has {lines[file]} lines" for file in long] == []


def test_the_files_that_may_be_long_are_generated() -> None:
    for file in GENERATED:
        assert "by tests/support/client_types.py: do not edit" in file.read_text(encoding="utf-8"), file


BRANCHES = "\n".join(f"    if x == {number}:\n        return {number}" for number in range(MAX_COMPLEXITY))
LINES = "\n".join("    x += 1" for _ in range(MAX_FUNCTION_LINES))
OFFENCES = [
    (complex_functions, f"def f(x):\n{BRANCHES}", "1: f has a complexity of 13"),
    (long_functions, f"def f(x):\n{LINES}", "1: f has 41 lines"),
    (nested_conditions, "[x for x in y if x if y]", "1: a comprehension has nested conditions"),
    (nested_conditions, "{x if z else y for x in y if x}", "1: a comprehension has nested conditions"),
    (nested_conditions, "{x: 1 for y in z if y for x in y if x}", "1: a comprehension has nested conditions"),
    (
        nested_conditions,
        "all(x for x in y if any(z for z in x if z))",
        "1: a comprehension has nested conditions",
    ),
]


@pytest.mark.parametrize(("check", "source", "offence"), OFFENCES)
def test_an_offence_is_found(check: Callable[[ast.Module], Iterator[str]], source: str, offence: str) -> None:
    assert list(check(ast.parse(source))) == [offence]


WITHIN_LIMITS = [
    (complex_functions, f"def f(x):\n{BRANCHES.rpartition('    if')[0]}"),
    (long_functions, f"def f(x):\n{LINES.rpartition('    x')[0]}"),
    (nested_conditions, "[f(x if z else y) for x in y]"),
    (nested_conditions, "[x for x in y if x and z]"),
    (nested_conditions, "[x for x in (z for z in y if z)]"),
]


@pytest.mark.parametrize(("check", "source"), WITHIN_LIMITS)
def test_what_is_just_within_a_limit_is_allowed(
    check: Callable[[ast.Module], Iterator[str]], source: str
) -> None:
    assert list(check(ast.parse(source))) == []
