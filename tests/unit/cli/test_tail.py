"""What a console has written since the last look."""

import pytest

from hostloom.cli.tail import addition


@pytest.mark.parametrize(
    ("before", "now", "added"),
    [
        ("", "boot\n", "boot\n"),
        ("boot\n", "boot\n", ""),
        ("boot\n", "boot\nlogin: ", "login: "),
        # only the end of a long log is kept
        ("x" * 500 + "y" * 300, "y" * 300 + "new", "new"),
        # the log has begun anew
        ("the old log " * 50, "SeaBIOS\n", "SeaBIOS\n"),
        ("boot\n", "", ""),
    ],
)
def test_only_what_is_new_is_shown(before: str, now: str, added: str) -> None:
    assert addition(before, now) == added
