"""Help and completion import little, because a shell waits for them."""

import json
import os
import subprocess
import sys

import pytest

from hostloom.cli.entries import ENTRIES
from hostloom.cli.main import command_tree

#: Packages that take longest to import; rich draws the help pages.
SLOW = {"httpx", "pydantic", "yaml", "sqlalchemy", "fastapi", "hostloom.decide", "hostloom.migration.maas"}
RUN = """
import json, sys
from hostloom.cli.entries import ENTRIES
from hostloom.cli.main import main
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported(*words: str, complete: str | None = None) -> set[str]:
    """The modules that a command line imports; with `complete`, those that completing it imports."""
    env = {**os.environ, "HOSTLOOM_SOCKET": "/nowhere"}
    if complete is not None:
        env |= {"COMP_WORDS": complete, "COMP_CWORD": str(complete.count(" "))}
        env["_HOSTLOOM_COMPLETE"] = "complete_bash"
    argv = [sys.executable, "-c", RUN, *words]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() or complete is not None
    modules: list[str] = json.loads(done.stderr)
    return set(modules)


def test_the_help_page_imports_no_command() -> None:
    modules = imported("--help")
    assert not modules & SLOW
    assert not modules & {"hostloom.cli.hosts", "hostloom.cli.machines", "hostloom.cli.simulate"}


@pytest.mark.parametrize(
    "line",
    ["hostloom ", "hostloom mach", "hostloom machine st", "hostloom machine show ", "hostloom vlan list --"],
)
def test_completion_imports_only_what_the_line_names(line: str) -> None:
    modules = imported(complete=line)
    assert not modules & {*SLOW, "rich", "typer.rich_utils"}
    assert "hostloom.cli.simulate" not in modules


def test_a_command_imports_its_own_module_only() -> None:
    modules = imported("zone", "list", "--help")
    assert "hostloom.cli.groupings" in modules
    assert not modules & {"hostloom.cli.hosts", "hostloom.cli.machines", "hostloom.decide", "httpx"}


def test_the_line_in_the_list_is_that_of_the_command() -> None:
    commands = command_tree().load_all().commands
    for entry in ENTRIES:
        text = commands[entry.name].help or ""
        assert text.partition("\n\n")[0].replace("\n", " ") == entry.help


def test_without_words_the_help_page_is_shown() -> None:
    done = subprocess.run([sys.executable, "-m", "hostloom.cli"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Usage: hostloom" in done.stdout + done.stderr
