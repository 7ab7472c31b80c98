"""What import-linter cannot see: what the faces do with a unit of work."""

import ast
from pathlib import Path

import hostloom

ROOT = Path(hostloom.__file__).parent


def _uses(folder: str, name: str) -> list[str]:
    found = []
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == name:
                owner = node.value
                called = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
                if called.endswith("uow"):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    return found


def test_faces_keep_annotations_through_the_service_that_authorizes() -> None:
    assert _uses("compat", "annotations") + _uses("api", "annotations") == []
    assert _uses("services", "annotations"), "the service itself: the test looks for what there is"
