"""docs/explanation/glossary.md: one line a term, in alphabetical order, no term twice."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "explanation/glossary.md").read_text(encoding="utf-8")
TERMS = [row.partition(" | ")[0].removeprefix("| ") for row in TEXT.splitlines() if row.startswith("| ")][1:]


def test_terms_are_in_alphabetical_order_and_none_is_there_twice() -> None:
    folded = [re.sub(r"ç", "c", term.casefold()) for term in TERMS]
    assert len(TERMS) > 50
    assert folded == sorted(set(folded))


def test_the_readme_and_the_overview_link_it() -> None:
    assert "docs/explanation/glossary.md" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert "explanation/glossary.md" in (DOCS / "README.md").read_text(encoding="utf-8")
