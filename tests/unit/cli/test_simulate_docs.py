"""The pages about world files and what-if say what there is."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from hostloom.cli.world_files import WorldFile, load
from hostloom.decide.changes.text import FORMS
from hostloom.model.reasons import RejectionCode, RequestCode, WarningCode
from hostloom.simulation.impact import ImpactCode
from hostloom.simulation.outcomes import outcome, outcome_differences
from support.worlds import IMAGE_CODES

DOCS = Path(__file__).parents[3] / "docs"
WORLD_FILES = (DOCS / "reference" / "world-files.md").read_text(encoding="utf-8")
WHAT_IF = (DOCS / "how-to" / "ask-what-if.md").read_text(encoding="utf-8")


def test_every_change_and_every_harm_is_on_the_page() -> None:
    for kind, form in FORMS.items():
        assert f"`{kind}:{form}`" in WHAT_IF
    for code in ImpactCode:
        assert f"`{code}`" in WHAT_IF


@pytest.mark.parametrize(
    ("title", "codes"),
    [
        ("a refusal", set(RequestCode) - IMAGE_CODES),
        ("a rejection", RejectionCode),
        ("a warning", WarningCode),
    ],
)
def test_the_codes_on_the_page_are_those_that_there_are(title: str, codes: Iterable[str]) -> None:
    (text,) = re.findall(rf"\*\*Codes of {title}:\*\*(.*?)\.\n", WORLD_FILES, flags=re.DOTALL)
    assert sorted(re.findall(r"`([^`]+)`", text)) == sorted(str(each) for each in codes)


def test_the_world_on_the_page_passes(tmp_path: Path) -> None:
    (whole, case) = re.findall(r"```yaml\n(.*?)```", WORLD_FILES, flags=re.DOTALL)
    path = tmp_path / "world.yaml"
    path.write_text(whole, encoding="utf-8")
    found = load(path)
    assert isinstance(found, WorldFile)
    for each in found.world.cases:
        snapshot = found.world.snapshot
        assert outcome_differences(snapshot, each, outcome(snapshot, each)) == []
    assert yaml.safe_load(case)[0]["request"]["count"] == 3
