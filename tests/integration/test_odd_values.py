"""Every command with odd values for every argument and option: an answer, and never a traceback."""

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from hostloom.cli.exit_codes import Exit
from hostloom.cli.main import command_tree, main
from support.cli_reference import leaves
from support.library_words import library_words
from support.server import running
from support.stories import at_home

ODD = (
    "",
    " ",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1",
    "0",
    "9" * 40,
    "💥",
    "a\nb",
    "\x1b[31m",
    "\udcff",
    "a" * 5000,
    "../../etc/passwd",
    "%s%n${HOME}",
    "kvm1",
    "10.0.0.0/33",
    "--",
)
#: What waits for ever, for a person or for a process of its own.
NOT_RUN = {"serve", "operation follow"}
COMMANDS = {
    path: command
    for path, command in leaves(command_tree().load_all())
    if path not in NOT_RUN and not path.startswith("import")
}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: object
    out: str
    err: str


def run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> Ended:
    monkeypatch.setattr(sys, "argv", ["hostloom", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code: object = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def served() -> Iterator[Path]:
    with TemporaryDirectory() as name, running(Path(name), worker=True):
        yield Path(name)


@pytest.fixture
def home(served: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at_home(served, monkeypatch)
    return served


def ordinary(parameter: Any) -> list[str]:
    """What is given for the arguments that a command needs, while another one is odd."""
    if parameter.param_type_name == "argument":
        return ["kvm1"]
    return [parameter.opts[0], "kvm1"] if parameter.required else []


def cases() -> Iterator[tuple[str, list[str]]]:
    """Each argument and option of each command, with a few odd values each, all of them over all commands."""
    number = 0
    for path, command in sorted(COMMANDS.items()):
        for parameter in command.params:
            if getattr(parameter, "is_flag", False) or parameter.name == "help":
                continue
            others = [word for each in command.params if each is not parameter for word in ordinary(each)]
            for _ in range(3):
                number += 7
                value = ODD[number % len(ODD)]
                is_argument = parameter.param_type_name == "argument"
                odd = [value] if is_argument else [f"{max(parameter.opts, key=len)}={value}"]
                yes = ["--yes"] if any("--yes" in each.opts for each in command.params) else []
                yield path, [*path.split(), *others, *odd, *yes]


def paths() -> list[str]:
    return sorted({path for path, _ in cases()})


@pytest.mark.parametrize("path", paths())
def test_odd_values_are_answered_in_words(
    path: str, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (words for name, words in cases() if name == path):
        ended = run(words, monkeypatch)
        assert ended.code in [*Exit], (words, ended)
        assert "hostloom made a mistake" not in ended.err, (words, ended)
        assert not library_words(ended.err), (words, ended)


@pytest.mark.parametrize(
    ("environment", "words", "code"),
    [
        ({"HOSTLOOM_URL": "http://[::1"}, ["host", "list"], Exit.USAGE),
        ({"HOSTLOOM_URL": "ftp://x"}, ["host", "list"], Exit.USAGE),
        ({"HOSTLOOM_URL": "http://"}, ["host", "list"], Exit.USAGE),
        ({"HOSTLOOM_URL": "http://h:99999"}, ["host", "list"], Exit.USAGE),
        ({"HOSTLOOM_URL": "http://h\x00"}, ["host", "list"], Exit.USAGE),
        ({"HOSTLOOM_URL": "http://127.0.0.1:1", "HOSTLOOM_TOKEN": "tökén"}, ["host", "list"], Exit.USAGE),
        ({"HOSTLOOM_URL": "http://127.0.0.1:1", "HOSTLOOM_TOKEN": "a\nb"}, ["host", "list"], Exit.USAGE),
        ({"HOSTLOOM_URL": "http://127.0.0.1:1"}, ["host", "list"], Exit.UNREACHABLE),
        ({}, ["host", "update", "kvm1", "--cpu-over-commit", "nan"], Exit.USAGE),
        ({}, ["host", "update", "kvm1", "--memory-over-commit", "inf"], Exit.USAGE),
        ({}, ["host", "add", "h", "test:///default", "--cpu-over-commit", "-inf"], Exit.USAGE),
        ({}, ["world", "export", "/nonexistent/x"], Exit.FAILED),
        ({}, ["world", "export", "/"], Exit.FAILED),
        ({}, ["machine", "compose", "--name", ""], Exit.USAGE),
        ({}, ["machine", "plan", "--name", "", "--count", "2"], Exit.USAGE),
        ({}, ["machine", "compose", "--host", "nohost"], Exit.FAILED),
        ({}, ["machine", "plan", "--interfaces", "eth0:space=nospace"], Exit.FAILED),
        ({}, ["operation", "list", "--limit", "9" * 40], Exit.USAGE),
        ({}, ["event", "list", "--limit", "9" * 40], Exit.USAGE),
        ({}, ["user", "create", "💥"], Exit.USAGE),
        ({}, ["user", "create", "a b"], Exit.USAGE),
        ({}, ["host", "list", "--columns", "nosuch"], Exit.USAGE),
        ({}, ["host", "list", "--sort", "nosuch"], Exit.USAGE),
        ({}, ["host", "list", "--filter", "nosuch=1"], Exit.USAGE),
        ({}, ["host", "list", "--filter", "name"], Exit.USAGE),
        ({}, ["host", "show", "\udcff"], Exit.USAGE),
    ],
)
def test_wrong_input_has_its_exit_code_and_one_error(
    environment: dict[str, str], words: list[str], code: Exit, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "HOSTLOOM_URL" in environment:
        monkeypatch.delenv("HOSTLOOM_SOCKET")
    for name, value in environment.items():
        if "\x00" in value:
            words = ["--url", value, *words]
        else:
            monkeypatch.setenv(name, value)
    ended = run(words, monkeypatch)
    assert ended.code == code, ended
    assert ended.err.count("error: ") == 1, ended.err
    assert ended.err.count("hint: ") <= 1, ended.err
    assert ended.out == ""


@pytest.mark.parametrize("columns", ["0", "-5", "x", "", "1", "9" * 30])
def test_a_width_that_is_none_changes_nothing(
    columns: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    usual = run(["zone", "list"], monkeypatch)
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["zone", "list"], monkeypatch) == usual
    assert "Usage" in run(["zone", "list", "--help"], monkeypatch).out


@pytest.mark.parametrize(
    "words",
    [
        ["host", "show", "nohost", "-o", "json"],
        ["host", "list", "--bogus", "--output=json"],
        ["host", "list", "--sort", "bogus", "-ojson"],
        ["machine", "compose", "--interfaces", "eth0:space=", "--output", "yaml"],
        ["host", "update", "kvm1", "--macvlan-mode", "passthrough", "-o", "json"],
    ],
)
def test_programs_get_errors_as_json(words: list[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    ended = run(words, monkeypatch)
    document = json.loads(ended.err)
    assert document["error"] and ended.code != 0
