"""What the command line prints, word by word, against a real server: tables, JSON, errors, exit codes.

Each story is a file of commands and what they print (support.stories); `UPDATE_GOLDEN=1` writes them anew.
"""

import io
import sys
from pathlib import Path

import pytest

from support.seeds import KEY
from support.server import running
from support.stories import at_home, retell

STORIES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=[each.stem for each in STORIES])
def test_the_story_is_told_as_written(story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(tmp_path, monkeypatch)
    (tmp_path / "id_ed25519.pub").write_text(f"# my key\n{KEY}\n")
    (tmp_path / "id_ed25519").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    written = story.read_text(encoding="utf-8")
    with running(tmp_path, worker=True):
        told = retell(story, monkeypatch, {str(tmp_path): "HOME"})
    assert told == written
