"""Stories: files of commands and what the command line prints, word by word.

`UPDATE_GOLDEN=1` writes them anew. Lines on standard error are marked with `!`, an exit code other than 0
with `?`.
"""

import io
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from string import Template

import pytest

from hostloom.cli.main import main

PROMPT = "$ "


def at_home(directory: Path, monkeypatch: pytest.MonkeyPatch, columns: int = 120) -> None:
    """Let commands find their files and the server's socket in this directory, and a terminal this wide."""
    for name, value in {
        "HOME": str(directory),
        "XDG_CONFIG_HOME": str(directory / "config"),
        "HOSTLOOM_SOCKET": str(directory / "api.sock"),
        "COLUMNS": str(columns),
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)


def retell(
    story: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
) -> str:
    """Run the story's commands; what they print, with `names` put for what changes from run to run.

    `words` stand in the commands as `$WORD`, and stay so in what is told.
    """
    written = story.read_text(encoding="utf-8")
    commands = [line.removeprefix(PROMPT) for line in written.splitlines() if line.startswith(PROMPT)]
    told = "".join(_run(command, monkeypatch, words or {}) for command in commands)
    for changing, name in (names or {}).items():
        told = told.replace(changing, name)
    if os.environ.get("UPDATE_GOLDEN"):
        story.write_text(told, encoding="utf-8")
    return told


def _run(command: str, monkeypatch: pytest.MonkeyPatch, words: Mapping[str, str]) -> str:
    monkeypatch.setattr(sys, "argv", shlex.split(Template(command).safe_substitute(words)))
    code: object = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    answer = "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())
    errors = "".join(f"! {line}".rstrip() + "\n" for line in err.getvalue().splitlines())
    failed = f"? {code:d}\n" if isinstance(code, int) and code else ""
    return f"{PROMPT}{command}\n{answer}{errors}{failed}"
