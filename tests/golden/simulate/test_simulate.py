"""What `hostloom simulate` prints, word by word, at the width that each story's name ends with."""

from pathlib import Path

import pytest

from support.stories import retell
from support.worlds import ACCEPTANCE

STORIES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=[each.stem for each in STORIES])
def test_the_story_is_told_as_written(story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", story.stem.rpartition("-")[2])
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(ACCEPTANCE / "own")
    written = story.read_text(encoding="utf-8")
    assert retell(story, monkeypatch) == written
