"""Exit codes and error messages."""

import json
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import typer

from hostloom.cli.output import Format, asked_format, console, with_iso_times
from hostloom.client import ClientError, Document, Problem, ServerUnreachable, answers
from hostloom.model.network_fix import FixCode
from hostloom.model.reasons import RequestCode


class Exit(IntEnum):
    """The exit codes (docs/reference/exit-codes.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    STUCK = 5
    #: 128 + SIGINT, as in shells.
    INTERRUPTED = 130


#: HTTP statuses of requests that a rule or the current state forbids.
_REFUSED = frozenset({403, 409, 412})
_USAGE = frozenset({400, 413, 422})
_UNREACHABLE = frozenset({503, 504})
#: Error codes of operations.
_STATES = frozenset(
    {"already-exists", "address-on-wire", "in-use", "machine-differs", "stale", "wrong-state", "plan-stale"}
)
_REFUSED_CODES = frozenset[str](RequestCode) | frozenset[str](FixCode) | _STATES
_UNREACHABLE_CODES = frozenset({"host-unreachable", "dhcp-unreachable", "outcome-unknown"})


def exit_of_problem(problem: Problem) -> Exit:
    """The exit code for a problem that the server reports."""
    if problem.code in _UNREACHABLE_CODES:
        return Exit.UNREACHABLE
    if problem.code in _SYNTAX:
        return Exit.USAGE
    if problem.code in _NAMELESS:
        return Exit.FAILED
    if problem.status in _REFUSED:
        return Exit.REFUSED
    if problem.status in _USAGE:
        return Exit.USAGE
    return Exit.UNREACHABLE if problem.status in _UNREACHABLE else Exit.FAILED


def exit_of_operation(operation: answers.Operation) -> Exit:
    """The exit code for an operation that is finished or stuck."""
    if operation["state"] == "succeeded":
        return Exit.OK
    if operation["state"] == "stuck":
        return Exit.STUCK
    return exit_of_code(operation["error_code"])


def exit_of_code(code: str) -> Exit:
    """The exit code for the error of an operation."""
    if code in _UNREACHABLE_CODES:
        return Exit.UNREACHABLE
    if code in _NAMELESS:
        return Exit.FAILED
    return Exit.REFUSED if code in _REFUSED_CODES else Exit.FAILED


def exit_of_refusal(code: str) -> Exit:
    """The exit code for a refused plan: text that does not parse is a usage error."""
    if code in _UNREACHABLE_CODES:
        return Exit.UNREACHABLE
    if code in _NAMELESS:
        return Exit.FAILED
    return Exit.USAGE if code in _SYNTAX else Exit.REFUSED


#: Codes for names that do not exist.
_NAMELESS = frozenset(
    {
        RequestCode.UNKNOWN_HOST,
        RequestCode.UNKNOWN_SPACE,
        RequestCode.UNKNOWN_FABRIC,
        RequestCode.UNKNOWN_SUBNET,
    }
)
_SYNTAX = frozenset(
    {
        RequestCode.CONSTRAINT_SYNTAX,
        RequestCode.UNKNOWN_KEY,
        RequestCode.DUPLICATE_LABEL,
        RequestCode.INVALID_LABEL,
        RequestCode.INVALID_VALUE,
    }
)


def fail(message: str, hint: str = "", code: Exit = Exit.FAILED) -> typer.Exit:
    """Print an error; the caller raises the returned exception."""
    tell(message, hint)
    return typer.Exit(code)


def tell(message: str, hint: str = "", lines: Sequence[str] = (), document: Document | None = None) -> None:
    """Print an error, a hint, and further lines.

    If JSON or YAML is requested, the error has that format and the fields of the server's `document`.
    """
    from rich.text import Text

    printer = console(stderr=True)
    if asked_format.get() is not Format.TABLE:
        print_document({"error": message, "hint": hint, "lines": list(lines)} | (document or {}))
        return
    printer.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)
    if hint:
        printer.print(Text.assemble(("hint: ", "bold"), hint), soft_wrap=True)
    for line in lines:
        printer.print(Text(line), soft_wrap=True)


def print_document(error: dict[str, Any]) -> None:
    """Print an error for programs: one line of JSON, which is also valid YAML."""
    from rich.text import Text

    filled = {name: value for name, value in error.items() if value not in ("", [], None, {})}
    text = json.dumps(with_iso_times(filled))
    console(stderr=True).print(Text(text), soft_wrap=True)


def report(error: ClientError) -> Exit:
    """Print a client error and return its exit code."""
    if isinstance(error, ServerUnreachable):
        tell(str(error), "is it running? `hostloom serve` starts it; `hostloom login` selects another server")
        return Exit.UNREACHABLE
    if not isinstance(error, Problem):
        tell(str(error), error.hint)
        return Exit.USAGE
    fields = error.document.get("errors")
    several = fields if isinstance(fields, list) and len(fields) > 1 else []
    hint = error.hint or _hint(error)
    lines = [f"  {field['field']} {field['message']}" for field in several]
    lines += [line for line in error.text[1:] if line != hint and line.removeprefix("not ") not in str(error)]
    names = ("code", "status", "details", "errors", "explanation", "differences")
    tell(str(error), hint, lines, {name: error.document.get(name) for name in names})
    return exit_of_problem(error)


def _hint(error: Problem) -> str:
    if error.status == 401:
        return "root and members of the group hostloom may use the socket; others need `hostloom login URL`"
    if error.code == "in-use" and error.details.get("kind") == "host":
        return f"`hostloom machine decompose --all --host {error.details['key']}` deletes its machines"
    if error.code == "not-found" and error.details.get("kind") == "power settings":
        return "only bare machines have them; `hostloom machine power-config --help` shows how to set them"
    if error.code == "not-found" and "kind" in error.details:
        noun = str(error.details["kind"]).replace(" ", "-").lower()
        noun = "image" if noun == "disk-image" else noun
        return f"`hostloom {noun} list` shows what exists" if noun in _LISTED else ""
    return ""


_LISTED = frozenset(
    [
        "fabric",
        "ssh-key",
        "vlan",
        "space",
        "subnet",
        "range",
        "node",
        "host",
        "image",
        "storage-pool",
        "machine",
        "operation",
        "user",
        "token",
        "zone",
        "resource-pool",
        "domain",
        "tag",
    ]
)
