"""Reads files that list machines: YAML or JSON, from a path or standard input."""

from pathlib import Path

import typer

from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.text_files import name_of, read_text
from hostloom.client import Document

HINT = "expected a list such as `- {hostname: web, interfaces: 'eth0:space=dmz', count: 2}`"


def read_batch(path: Path) -> Document:
    """The body of a batch: the file's list of machines, or its `machines` and `strategy`."""
    name = name_of(path)
    document = _parse(name, read_text(path))
    if isinstance(document, list):
        document = {"machines": document}
    if not isinstance(document, dict) or not isinstance(document.get("machines"), list):
        raise fail(f"{name}: the file is not a list of machines", HINT, Exit.USAGE)
    for index, machine in enumerate(document["machines"]):
        if not isinstance(machine, dict):
            raise fail(f"{name}: machines.{index}: {machine!r} is not a mapping of fields", HINT, Exit.USAGE)
    return document


def _parse(name: str, text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        position = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _broken(f"{name}{position}: {error.problem or 'the file is not YAML'}") from error
    except yaml.YAMLError as error:
        raise _broken(f"{name}: the file is not YAML") from error


def _broken(message: str) -> typer.Exit:
    return fail(message, HINT, Exit.USAGE)
