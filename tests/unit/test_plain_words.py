"""No archaic words (STYLE.md#text) in pages and sources, nor in the names and docstrings of tests."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(chain(ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), (ROOT / "packages").rglob("*.md")))
SOURCES = sorted(chain((ROOT / "src").rglob("*.py"), (ROOT / "packages").rglob("*.py")))
TESTS = sorted(chain((ROOT / "tests").rglob("*.py"), (ROOT / "bench").rglob("*.py")))

#: Between letters of the same word, `_` counts as a blank: names of tests are sentences too.
ARCHAIC = re.compile(
    r"(?<![a-z])(nobody|nobodys|somebody|shall|shalt|minded|heed|heeds|heeded|thereof|therein|thereby|wherein|whereby"
    r"|whither|whence|thence|hither|hitherto|henceforth|forthwith|naught|lest|unto|betwixt)(?![a-z])",
    flags=re.IGNORECASE,
)
#: A word in code that is stored or belongs to a foreign format.
ALLOWED = frozenset({('NO_ANSWER = "nobody"', "nobody")})


def archaic(text: str) -> list[str]:
    """The archaic words of a text."""
    return [
        match.group(1)
        for line in text.splitlines()
        for match in ARCHAIC.finditer(line)
        if (line.strip(), match.group(1).lower()) not in ALLOWED
    ]


def names_and_docstrings(source: str) -> Iterator[str]:
    """The names of a file's functions and classes, and its docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield getattr(node, "name", "")
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize("files", [PAGES, SOURCES], ids=["pages", "sources"])
def test_pages_and_sources_have_no_archaic_words(files: list[Path]) -> None:
    assert len(files) > 10
    found = {str(file.relative_to(ROOT)): archaic(file.read_text(encoding="utf-8")) for file in files}
    assert {file: words for file, words in found.items() if words} == {}


def test_names_and_docstrings_of_tests_have_no_archaic_words() -> None:
    found = {
        str(file.relative_to(ROOT)): archaic(
            "\n".join(names_and_docstrings(file.read_text(encoding="utf-8")))
        )
        for file in TESTS
    }
    assert {file: words for file, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What nobody asked for, somebody shall heed.", ["nobody", "somebody", "shall", "heed"]),
        ("def test_nobody_listens(): ...", ["nobody"]),
        ("No host answers; the shallow copy and the lease remain.", []),
    ],
)
def test_what_counts_as_archaic(text: str, words: list[str]) -> None:
    assert archaic(text) == words
