"""Wrong usage, told in our own words: what typer and pydantic say is about their own types."""

import re

from typer._click.exceptions import ClickException, NoArgsIsHelpError  # typer has no public names for them

from hostloom.cli.exit_codes import tell

_PARAMETER = re.compile(r"Invalid value for (?P<name>.+?): (?P<text>.*)", re.DOTALL)
#: What they say, and how it reads here.
_WORDS = (
    (re.compile(r"^Value error, "), ""),
    (
        re.compile(r"^Input should be a valid (?:integer|number with no fractional part)\b.*"),
        "expected a whole number",
    ),
    (re.compile(r"^Input should be a (?:valid|finite) number\b.*"), "expected a number"),
    (re.compile(r"^Input should be greater than or equal to (\S+)$"), r"expected at least \1"),
    (re.compile(r"^Input should be less than or equal to (\S+)$"), r"expected at most \1"),
    (re.compile(r"^Input should be "), "expected "),
)
_ALSO_CALLED = {"'passthrough'": "libvirt's `passthrough` is called `passthru` here"}


def tell_usage(error: ClickException) -> int:
    """Tell what is wrong with a command line, and return its exit code."""
    if isinstance(error, NoArgsIsHelpError):
        from typer.rich_utils import rich_format_error

        rich_format_error(error)
        return error.exit_code
    text = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "hostloom"
    called = [hint for word, hint in _ALSO_CALLED.items() if word in text and "'passthru'" in text]
    tell(plain_usage(text), called[0] if called else f"`{path} --help` shows how it is used")
    return error.exit_code


def plain_usage(text: str) -> str:
    """A message about a command line, without the words of the libraries that made it."""
    match = _PARAMETER.fullmatch(text)
    if match is None:
        return text.removesuffix(".")
    words = match["text"]
    for pattern, ours in _WORDS:
        words = pattern.sub(ours, words)
    name = match["name"].rpartition(" / ")[2].strip("'")
    return f"{name}: {words.removesuffix('.')}"
