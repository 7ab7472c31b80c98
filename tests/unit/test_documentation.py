"""Every path, link and anchor in the documentation, and every page that the code cites, exists.

A word in back-ticks is a path if it ends with `/`, `.py` or `.md`, or if it has a slash and begins with a
folder of the repository or of the package. Words with a part in capitals (`NOUN.py`), `…`, `*`, `<` or `{`
are placeholders; so is what begins with `/`, `~` or `.`: it is on a user's machine.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/hostloom"
PAGES = sorted(chain(ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), (ROOT / "packages").rglob("*.md")))
FOLDERS = ("src", "tests", "bench", "packages", "bin")
#: Where a path of the documentation may begin.
BASES = (ROOT, ROOT / "docs", ROOT / "src", PACKAGE)

_FENCE = re.compile(r"^ *```.*?^ *```", flags=re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CITATION = re.compile(r"docs/[\w/.-]+\.md(?:#[\w-]+)?")
_PLACEHOLDER = re.compile(r"[…*<{]|^[/~.]|(^|/)[A-Z][A-Z_-]+(\.\w+)?(/|$)")


def _without_fences(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def is_path(word: str) -> bool:
    """Whether a word in back-ticks is a path of the repository."""
    if " " in word or _PLACEHOLDER.search(word) or not re.fullmatch(r"[\w./-]+", word):
        return False
    if word.endswith(("/", ".py", ".md")):
        return True
    first = word.partition("/")[0]
    return "/" in word and any((base / first).is_dir() for base in BASES)


def exists(word: str) -> bool:
    """Whether it is there; a file without a folder may be anywhere."""
    if "/" not in word:
        return word in _file_names()
    return any((base / word).exists() for base in BASES)


@cache
def _file_names() -> frozenset[str]:
    files = chain(ROOT.glob("*"), *((ROOT / folder).rglob("*") for folder in (*FOLDERS, "docs")))
    return frozenset(file.name for file in files)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _without_fences(page), flags=re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)


def _words() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for word in _CODE.findall(_without_fences(page)):
            if is_path(word):
                yield str(page.relative_to(ROOT)), word


def _links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in _LINK.findall(_CODE.sub("", _without_fences(page))):
            if "://" not in target:
                yield page, target


def _resolves(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not anchor or anchor in anchors(file))


def test_every_path_in_the_documentation_exists() -> None:
    words = list(_words())
    assert len(words) > 50
    assert [(page, word) for page, word in words if not exists(word)] == []


def test_every_link_leads_to_a_page_and_its_heading() -> None:
    links = list(_links())
    assert len(links) > 80
    broken = [(str(page.relative_to(ROOT)), link) for page, link in links if not _resolves(page, link)]
    assert broken == []


def test_every_page_that_the_code_cites_exists() -> None:
    citations = {
        (str(file.relative_to(ROOT)), citation)
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".yaml", ".toml") and ".venv" not in file.parts
        for citation in _CITATION.findall(file.read_text(encoding="utf-8"))
    }
    assert [pair for pair in sorted(citations) if not _resolves(ROOT / "README.md", pair[1])] == []


def test_every_page_can_be_reached_from_the_overview() -> None:
    reached, open_pages = set[Path](), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = (
            (page.parent / link.partition("#")[0]).resolve() for origin, link in _links() if origin == page
        )
        open_pages += [target for target in targets if target.suffix == ".md" and target.exists()]
    unreached = set(PAGES) - reached
    assert [str(page.relative_to(ROOT)) for page in sorted(unreached) if page.parent.name != "maas-cli"] == []


ARCHITECTURE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
_STEP = re.compile(r"^\d+\. \*\*`([\w/.]+)`\*\*, ((?:`\w+`(?: and )?)+)", flags=re.MULTILINE)


def test_the_walk_through_one_compose_has_at_most_15_files_with_the_names_that_it_gives() -> None:
    steps = _STEP.findall(ARCHITECTURE)
    assert 10 <= len(steps) <= 15
    assert len(re.findall(r"^\d+\. ", ARCHITECTURE, flags=re.MULTILINE)) == len(steps)
    for file, names in steps:
        code = (PACKAGE / file).read_text(encoding="utf-8")
        for name in _CODE.findall(names):
            assert re.search(rf"^(def|class) {name}\b|^{name}\b.* = ", code, flags=re.MULTILINE), (file, name)


def test_the_table_of_layers_names_every_package() -> None:
    table = ARCHITECTURE.partition("## Layers")[2].partition("\n## ")[0]
    rows = [row.split(" | ")[1] for row in table.splitlines() if row.startswith("| ")]
    named = {path.partition("/")[0] for row in rows for path in _CODE.findall(row)}
    assert named == {folder.parent.name for folder in PACKAGE.glob("*/__init__.py")}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("decide/no_such_file.py", True),
        ("model/", True),
        ("bin/demo", True),
        ("10.0.0.0/24", False),
        ("amd64/generic", False),
        ("services/NOUN.py", False),
        ("/etc/hostloom/config.toml", False),
        ("application/problem+json", False),
    ],
)
def test_what_counts_as_a_path(word: str, expected: bool) -> None:
    assert is_path(word) is expected


def test_a_path_that_is_gone_is_noticed() -> None:
    assert not exists("decide/no_such_file.py")
    assert not exists("no_such_file.py")
    assert not _resolves(ROOT / "docs" / "README.md", "README.md#no-such-heading")
