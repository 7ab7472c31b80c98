"""Follows an operation: its steps are shown live on a terminal, otherwise one line per step."""

import sys
from typing import Annotated

import typer

from hostloom.cli.exit_codes import Exit, exit_of_operation, tell
from hostloom.cli.output import Format, say, show_data, size
from hostloom.client import Client, answers

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the operation until it ends.")]
#: Operations that only read, so that there is nothing to undo.
_READS = frozenset({"refresh", "verify"})
WORDS = {"undoing": "undoing", "undone": "undone", "failed": "failed", "undo-failed": "could not be undone"}


def finish(client: Client, operation: answers.Operation, output: Format, *, wait: bool) -> answers.Operation:
    """Follow an operation to its end and return it; exit the command unless it succeeded."""
    key = operation["id"]
    if not wait:
        if output is Format.TABLE:
            say(f"operation {key} has started; `hostloom operation follow {key}` shows its progress")
        else:
            show_data(operation, output)
        raise typer.Exit(Exit.OK)
    result = follow(client, operation, output)
    code = exit_of_operation(result)
    if code is not Exit.OK:
        tell_end(result)
        if output is not Format.TABLE:
            show_data(result, output)
        raise typer.Exit(code)
    return result


def follow(client: Client, operation: answers.Operation, output: Format) -> answers.Operation:
    """Show an operation's steps until it is finished or stuck; Ctrl-C does not stop the operation."""
    try:
        if output is Format.TABLE and sys.stderr.isatty():
            from hostloom.cli.follow_live import follow_live

            return follow_live(client, operation)
        return _follow_plain(client, operation)
    except KeyboardInterrupt:
        key = operation["id"]
        say(f"\nthe operation continues: `hostloom operation follow {key}` shows its progress")
        say(f"`hostloom operation cancel {key}` stops it and undoes what it did")
        raise typer.Exit(Exit.INTERRUPTED) from None


def tell_end(operation: answers.Operation) -> None:
    """Print how an unsuccessful operation ended."""
    name = f"{operation['saga']} {operation['subject']}"
    if operation["state"] == "stuck":
        tell(
            f"{name} is stuck: {operation['error']}",
            f"fix the cause, then run `hostloom operation retry {operation['id']}`",
        )
    elif operation["state"] == "cancelled":
        tell(f"{name} was cancelled; everything it did is undone")
    else:
        undone = "" if operation["saga"] in _READS else "everything it did is undone"
        tell(f"{name} failed: {operation['error']}", undone)


def _follow_plain(client: Client, operation: answers.Operation) -> answers.Operation:
    states: dict[str, str] = {}
    for current in client.follow(operation["id"]):
        operation = current
        for step in operation["steps"]:
            state = step["state"]
            if state in ("pending", "running", "undoing") or states.get(step["name"]) == state:
                continue
            states[step["name"]] = state
            say(f"{step['name']}: {WORDS.get(state, state)}{': ' + step['error'] if step['error'] else ''}")
    return operation


def bytes_done(step: answers.Step) -> str:
    """How much of its data a running step has processed."""
    done, total = step["done_bytes"], step["total_bytes"]
    if step["state"] != "running" or done is None:
        return ""
    return f"{size(done)} of {size(total)}, {done * 100 // total} %" if total else size(done)
