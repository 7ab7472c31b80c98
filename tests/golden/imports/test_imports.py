"""What `hostloom import maas` says, word by word: before, after, a second time, and of what is no MAAS."""

import gzip
import io
import sys
from pathlib import Path

import pytest

from support.maas_dump import as_sql, tables
from support.maas_estate import SECRET, bodies
from support.maas_server import KEY, serving_maas
from support.server import running
from support.stories import at_home, retell

STORIES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=[each.stem for each in STORIES])
def test_the_story_is_told_as_written(story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = as_sql(tables())
    (tmp_path / "maas.sql").write_text(text)
    (tmp_path / "maas.sql.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "cut.sql").write_text(text[: len(text) // 2].rpartition("\n")[0] + "\n")
    (tmp_path / "photo.jpg").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "maas.key").write_text(f"{KEY}\n")
    (tmp_path / "wrong.key").write_text("consumer:token:other\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\n"))
    written = story.read_text(encoding="utf-8")
    with running(tmp_path, worker=True), serving_maas(bodies()) as maas:
        at_home(tmp_path, monkeypatch, columns=150)
        told = retell(story, monkeypatch, {maas.url: "http://maas:5240/MAAS"}, {"URL": maas.url})
    assert told == written
    database = b"".join(file.read_bytes() for file in tmp_path.glob("hostloom.db*"))
    assert b"kvm001" in database or story.stem == "server"
    for secret in (SECRET, KEY.rpartition(":")[2]):
        assert secret.encode() not in database
