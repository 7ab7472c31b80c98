"""Plans and several machines on two hosts, word by word, in a narrow and in a wide terminal."""

import io
import sys
from pathlib import Path

import pytest

from support.little_world import little_world
from support.server import serving
from support.stories import retell

HERE = Path(__file__).parent


@pytest.mark.parametrize("columns", [80, 120])
def test_the_story_is_told_as_written(columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOSTLOOM_SOCKET": str(tmp_path / "api.sock"),
        "COLUMNS": str(columns),
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", io.StringIO('[{"hostname": "piped", "colour": "red"}]'))
    monkeypatch.chdir(HERE)
    story = HERE / f"plans-{columns}.txt"
    written = story.read_text(encoding="utf-8")
    world = little_world(tmp_path)
    with serving(tmp_path, world.ports, worker=True):
        told = retell(story, monkeypatch)
    world.ports.store.close()
    assert told == written
