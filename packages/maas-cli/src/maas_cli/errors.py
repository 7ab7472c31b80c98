"""The errors of the command; each is one line and says what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class CliError(Exception):
    """Ends the command with status 2."""


def unknown(kind: str, name: str, names: Iterable[str], hint: str) -> CliError:
    """The error for an unknown name; it suggests the most similar one."""
    near = get_close_matches(name, list(names), 1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return CliError(f"there is no {kind} {name!r}.{meant} {hint}")
