"""Exit codes, and how a failure is told: what, where, and what to do."""

from enum import IntEnum

import typer
from rich.text import Text

from hostloom.cli.output import console
from hostloom.client import ClientError, Document, Problem
from hostloom.model.fix import FixCode
from hostloom.model.plan import RequestCode


class Exit(IntEnum):
    """The exit codes (docs/reference/exit-codes.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    STUCK = 5
    #: 128 + SIGINT, as shells do.
    INTERRUPTED = 130


#: Problems of these statuses are a rule's or the present state's no.
_REFUSED = frozenset({403, 409, 412})
_USAGE = frozenset({400, 413, 422})
_UNREACHABLE = frozenset({503, 504})
#: Error codes of operations.
_STATES = frozenset({"already-exists", "address-on-wire", "in-use", "stale", "wrong-state", "plan-stale"})
_REFUSED_CODES = frozenset[str](RequestCode) | frozenset[str](FixCode) | _STATES
_UNREACHABLE_CODES = frozenset({"host-unreachable", "dhcp-unreachable", "outcome-unknown"})


def exit_of_problem(problem: Problem) -> Exit:
    """The exit code of a server's no."""
    if problem.code in _UNREACHABLE_CODES:
        return Exit.UNREACHABLE
    if problem.code in _SYNTAX:
        return Exit.USAGE
    if problem.status in _REFUSED:
        return Exit.REFUSED
    if problem.status in _USAGE:
        return Exit.USAGE
    return Exit.UNREACHABLE if problem.status in _UNREACHABLE else Exit.FAILED


def exit_of_operation(operation: Document) -> Exit:
    """The exit code of an operation that is at rest."""
    if operation["state"] == "succeeded":
        return Exit.OK
    if operation["state"] == "stuck":
        return Exit.STUCK
    if operation["error_code"] in _UNREACHABLE_CODES:
        return Exit.UNREACHABLE
    return Exit.REFUSED if operation["error_code"] in _REFUSED_CODES else Exit.FAILED


def exit_of_refusal(code: str) -> Exit:
    """The exit code of a plan that was refused: a text that does not parse is the caller's slip."""
    if code in _UNREACHABLE_CODES:
        return Exit.UNREACHABLE
    return Exit.USAGE if code in _SYNTAX else Exit.REFUSED


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
    """Tell a failure; raise what it returns."""
    tell(message, hint)
    return typer.Exit(code)


def tell(message: str, hint: str = "") -> None:
    """An error, and below it what to do."""
    printer = console(stderr=True)
    printer.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)
    if hint:
        printer.print(Text.assemble(("hint: ", "bold"), hint), soft_wrap=True)


def report(error: ClientError) -> Exit:
    """Tell a client's error and return its exit code."""
    if not isinstance(error, Problem):
        tell(str(error), "is it running? `hostloom serve` starts it; `hostloom login` names another one")
        return Exit.UNREACHABLE
    tell(str(error), error.hint or _hint(error))
    wrong = error.document.get("errors")
    for each in wrong if isinstance(wrong, list) and len(wrong) > 1 else []:
        console(stderr=True).print(Text(f"  {each['field']}: {each['message']}"), soft_wrap=True)
    for line in error.text[1:]:
        console(stderr=True).print(Text(line), soft_wrap=True)
    return exit_of_problem(error)


def _hint(error: Problem) -> str:
    if error.status == 401:
        return "root and members of the group hostloom use the socket; others `hostloom login URL TOKEN`"
    if error.code == "not-found" and "kind" in error.details:
        noun = str(error.details["kind"]).replace(" ", "-")
        return f"`hostloom {noun} list` shows what there is" if noun in _LISTED else ""
    return ""


_LISTED = frozenset(
    [
        "fabric",
        "vlan",
        "space",
        "subnet",
        "range",
        "node",
        "host",
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
