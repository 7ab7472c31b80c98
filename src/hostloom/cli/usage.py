"""Rewrites usage errors, because the texts of typer and pydantic describe their own types."""

import re
from collections.abc import Sequence

from typer._click.exceptions import ClickException, NoArgsIsHelpError  # typer has no public names for these

from hostloom.cli.exit_codes import tell

_Rules = Sequence[tuple[re.Pattern[str], str]]


def _rules(*pairs: tuple[str, str]) -> _Rules:
    return [(re.compile(pattern, re.DOTALL), text) for pattern, text in pairs]


#: Complete messages; a hint about the help follows them.
_MESSAGES = _rules(
    (r"Missing (?:argument|option|parameter) '(.+?)'\.?.*", r"\1 is missing"),
    (r"No such option: (\S+?)\.? Did you mean (.+?)\?", r"there is no option \1; did you mean \2?"),
    (r"No such option: (\S+) \(Possible options: (.+)\)", r"there is no option \1; did you mean \2?"),
    (r"No such option: (\S+)", r"there is no option \1"),
    (r"No such command (.+?)\.? Did you mean (.+?)\?", r"there is no command \1; did you mean \2?"),
    (r"No such command (.+)", r"there is no command \1"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.+)\)", r"this command takes no further arguments: \1"),
    (r"Option '(.+)' requires an argument", r"\1 needs a value"),
    (r"Option '(.+)' requires (\d+) arguments", r"\1 needs \2 values"),
    (r"Option '(.+)' does not take a value", r"\1 takes no value"),
)
#: Messages about the value of an option or argument.
_PROBLEMS = _rules(
    (r"Value error, (.*)", r"\1"),
    (r"Input should be a valid (?:integer|number with no fractional part)\b.*", "is not a whole number"),
    (r"Input should be a (?:valid|finite) number\b.*", "is not a number"),
    (r"Input should be greater than or equal to (\S+)", r"is too low; give at least \1"),
    (r"Input should be less than or equal to (\S+)", r"is too high; give at most \1"),
    (r"Input should be ('.*)", r"is unknown; choose \1"),
    (r"Input should be .*", "has a value that cannot be used"),
    (r"('.*') is not a valid (?:integer|int)", r"\1 is not a whole number"),
    (r"('.*') is not a valid (?:float|number)", r"\1 is not a number"),
    (r"('.*') is not one of (.*)", r"\1 is unknown; choose \2"),
    (r"(\S+) is not in the range x>=(\S+)", r"\1 is too low; give at least \2"),
    (r"(\S+) is not in the range x<=(\S+)", r"\1 is too high; give at most \2"),
    (r"(\S+) is not in the range (\S+)<=x<=(\S+)", r"\1 is out of range; give \2 to \3"),
)
_PARAMETER = re.compile(r"Invalid value for (?P<name>.+?): (?P<text>.*)", re.DOTALL)
_ALSO_CALLED = {"'passthrough'": "libvirt's `passthrough` is called `passthru` here"}


def tell_usage(error: ClickException) -> int:
    """Print a usage error and return its exit code."""
    if isinstance(error, NoArgsIsHelpError):
        from typer.rich_utils import rich_format_error  # needed only here, and slow to import

        rich_format_error(error)
        return error.exit_code
    text = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "hostloom"
    called = [hint for word, hint in _ALSO_CALLED.items() if word in text and "'passthru'" in text]
    tell(plain_usage(text), called[0] if called else f"`{path} --help` shows the usage")
    return error.exit_code


def plain_usage(text: str) -> str:
    """The message of a usage error, without the terms of the libraries."""
    parameter = _PARAMETER.fullmatch(text)
    if parameter is None:
        return _rewritten(_MESSAGES, text.removesuffix("."))
    name = parameter["name"].rpartition(" / ")[2].strip("'")
    problem = parameter["text"].removesuffix(".")
    replacement = _rewritten(_PROBLEMS, problem)
    return f"{name}: {replacement}" if replacement == problem else f"{name} {replacement}"


def _rewritten(rules: _Rules, text: str) -> str:
    for pattern, replacement in rules:
        if (match := pattern.fullmatch(text)) is not None:
            return match.expand(replacement)
    return text
