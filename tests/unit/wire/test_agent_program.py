"""The agent's modules as the one text that a host runs."""

import ast
import json
import subprocess
import sys
from collections import Counter

from hostloom.wire.agent.program import MODULES, agent_program


def test_it_is_a_program_for_python_3_8_with_nothing_of_hostloom() -> None:
    program = agent_program().decode()
    imports = [
        node
        for node in ast.walk(ast.parse(program, feature_version=(3, 8)))
        if isinstance(node, ast.ImportFrom)
    ]
    assert {node.module for node in imports} == {"__future__", "collections.abc", "pathlib", "typing"}
    assert "hostloom." not in program


def test_a_name_is_in_one_module_only() -> None:
    names: Counter[str] = Counter()
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names[node.name] += 1
            elif isinstance(node, ast.Assign):
                names.update(
                    each.id for each in ast.walk(node) if isinstance(each, ast.Name) and is_stored(each)
                )
    assert [name for name, count in names.items() if count > 1] == []
    assert {"Nic", "PREFIX", "main", "options6"} <= names.keys()


def is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def test_it_answers_a_job_from_stdin() -> None:
    job = {"task": "dhcp", "version": 4, "timeout_s": 0, "source": "nothere", "kind": "bridge", "end_s": 20}
    argv = [sys.executable, "-I", "-", json.dumps(job)]
    completed = subprocess.run(argv, input=agent_program(), capture_output=True, check=True)
    # Without root, the namespace is refused before the interface is looked for.
    (reason,) = json.loads(completed.stdout)
    assert reason in ("refused", "unable"), completed
