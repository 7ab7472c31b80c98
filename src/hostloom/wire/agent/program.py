"""Joins the agent's modules into one program text."""

import ast
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
#: Modules in the order of their dependencies. No two of them share a top-level name.
MODULES = (
    _HERE.parent / "dhcp_options.py",
    *(_HERE / f"{name}.py" for name in ("links", "nic", "frames", "neighbours", "dhcp", "tasks")),
)


@cache
def agent_program() -> bytes:
    """The program; it needs only the standard library of Python 3.8 and iproute2."""
    bodies = [_body(path.read_text()) for path in MODULES]
    return "\n\n".join(["from __future__ import annotations", *bodies, "main()\n"]).encode()


def _body(text: str) -> str:
    """A module without its docstring and without its imports from the other modules."""
    lines = text.splitlines()
    for node in ast.parse(text).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_docstring or _is_provided(node):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return "\n".join(lines).strip("\n")


def _is_provided(node: ast.stmt) -> bool:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    return module == "__future__" or module.startswith("hostloom.")
