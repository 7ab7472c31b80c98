"""What the command line prints, word by word, against a real server: tables, JSON, errors, exit codes.

Each story is a file of commands and what they print; `UPDATE_GOLDEN=1` writes them anew. Lines on standard
error are marked with `!`, an exit code other than 0 with `?`.
"""

import io
import os
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from hostloom.cli.main import main
from support.server import running

STORIES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=[each.stem for each in STORIES])
def test_the_story_is_told_as_written(story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOSTLOOM_SOCKET": str(tmp_path / "api.sock"),
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    written = story.read_text(encoding="utf-8")
    commands = [line.removeprefix("$ ") for line in written.splitlines() if line.startswith("$ ")]
    with running(tmp_path, worker=True):
        told = "".join(_run(command, monkeypatch) for command in commands)
    told = told.replace(str(tmp_path), "HOME")
    if os.environ.get("UPDATE_GOLDEN"):
        story.write_text(told, encoding="utf-8")
    assert told == written


def _run(command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    code: object = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    answer = "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())
    errors = "".join(f"! {line}".rstrip() + "\n" for line in err.getvalue().splitlines())
    failed = f"? {code:d}\n" if isinstance(code, int) and code else ""
    return f"$ {command}\n{answer}{errors}{failed}"
