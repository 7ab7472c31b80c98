"""Every error class with a realistic sample on one page, for people who read the words."""

import os
import re
from pathlib import Path

from hostloom.cli.main import command_tree
from hostloom.model.errors.base import HostloomError
from support.cli_reference import leaves
from support.error_samples import FAMILIES, error_classes, samples

PAGE = Path(__file__).with_name("errors.txt")


def page() -> str:
    blocks = []
    for error in samples():
        lines = [type(error).__name__, f"  error: {error}"]
        blocks.append("\n".join([*lines, *([f"  hint: {error.hint}"] if error.hint else [])]))
    return "\n\n".join(blocks) + "\n"


def test_the_page_of_errors_is_as_written() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(page())
    assert page() == PAGE.read_text()


def test_every_class_is_on_the_page() -> None:
    shown = {type(error).__name__ for error in samples()}
    assert shown == {kind.__name__ for kind in error_classes(HostloomError)} - FAMILIES


def test_hints_name_commands_that_exist() -> None:
    commands = {path for path, _ in leaves(command_tree().load_all())}
    hints = " ".join(error.hint for error in samples())
    named = re.findall(r"`hostloom ([a-z ]+[a-z])", hints)
    assert named
    assert set(named) <= commands
