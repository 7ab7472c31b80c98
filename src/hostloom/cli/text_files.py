"""Text files that are named on the command line, or standard input."""

import sys
from pathlib import Path

from hostloom.cli.exit_codes import Exit, fail

STDIN = Path("-")
#: The server accepts no larger body from most users.
MAX_CHARACTERS = 1024 * 1024


def name_of(file: Path) -> str:
    """The name of the file in messages."""
    return "standard input" if file == STDIN else str(file)


def read_text(file: Path, hint: str = "", limit: int = MAX_CHARACTERS) -> str:
    """Read a file, or standard input for `-`; end the command if it is not text or longer than the limit."""
    try:
        if file == STDIN:
            text = sys.stdin.read(limit + 1)
        else:
            with file.expanduser().open(encoding="utf-8") as stream:
                text = stream.read(limit + 1)
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise fail(f"{name_of(file)}: {cause}", hint, Exit.USAGE) from error
    if len(text) > limit:
        raise fail(f"{name_of(file)}: it has more than {limit} characters", hint, Exit.USAGE)
    return text
