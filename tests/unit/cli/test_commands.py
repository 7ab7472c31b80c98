"""What every command has."""

import pytest

from hostloom.cli.main import command_tree
from support.cli_reference import FILE, leaves, render

COMMANDS = dict(leaves(command_tree().load_all()))


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_has_help_an_example_and_a_choice_of_output(path: str) -> None:
    command = COMMANDS[path]
    assert "Example" in (command.help or "")
    options = {name for each in command.params for name in each.opts}
    assert "--output" in options or path in ("serve", "machine ssh")


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_help_fits_a_terminal_of_80_columns(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command_tree().load_all().main([*path.split(), "--help"], prog_name="hostloom", standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    # rich ends what it cuts off with "…"; other words that end so are part of the help.
    command = COMMANDS[path]
    texts = [command.help, *(f"{option.help} {option.metavar}" for option in command.params)]
    ends = [word for line in lines for word in line.split() if word.endswith("…")]
    assert [word for word in ends if word not in " ".join(map(str, texts))] == []


def test_the_nouns_are_those_of_the_reference() -> None:
    nouns = {path.split()[0] for path in COMMANDS}
    wanted = "fabric vlan space subnet range address node host machine operation event user token world"
    assert set(wanted.split()) <= nouns


def test_the_reference_page_is_made_from_the_commands() -> None:
    message = "write it anew: PYTHONPATH=tests python -m support.cli_reference"
    assert FILE.read_text(encoding="utf-8") == render(), message


def test_kinds_of_events_are_completed() -> None:
    command = COMMANDS["event list"]
    kind = next(option for option in command.params if option.name == "kind")
    context = command.make_context("list", [], resilient_parsing=True)
    words = [item.value for item in kind.shell_complete(context, "host-m")]
    assert words == ["host-match-gained", "host-match-lost", "host-match-ambiguous", "host-match-unknown"]
