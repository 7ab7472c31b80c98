"""`hostloom operation`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_show, make_app
from hostloom.cli.exit_codes import exit_of_operation
from hostloom.cli.follow import bytes_done, follow, tell_end
from hostloom.cli.listing import Limit, lists
from hostloom.cli.output import Format, Output, show_done, table, when
from hostloom.cli.session import open_client
from hostloom.client import answers, keys


def _progress(item: answers.Operation) -> str:
    count = sum(step["state"] == "done" for step in item["steps"])
    return f"{count}/{len(item['steps'])}"


def _took(item: answers.Step) -> str | None:
    if item["started_at"] is None or item["finished_at"] is None:
        return None
    return f"{item['finished_at'] - item['started_at']:.2f} s"


def _state(item: answers.Step) -> str:
    return ", ".join(filter(None, (item["state"], bytes_done(item))))


STEPS: Columns[answers.Step, keys.StepKey] = (
    Column("STEP", "name"),
    Column("STATE", _state, field="state"),
    Column("TOOK", _took, right=True),
    Column("ERROR", "error", text=True),
)

NOUN = NounCommands[answers.Operation, keys.OperationKey](
    "operation",
    "Id of the operation.",
    lambda client: client.operations,
    (
        Column("ID", "id"),
        Column("ACTION", "saga"),
        Column("SUBJECT", "subject"),
        Column("STATE", "state"),
        Column("STEPS", _progress, right=True, rank=3),
        Column("BEGUN", lambda item: when(item["created_at"]), field="created_at", rank=1),
        Column("BY", "requested_by", rank=4),
        Column("ERROR", "error", text=True, rank=2),
    ),
    (
        Column("ID", "id"),
        Column("ACTION", "saga"),
        Column("SUBJECT", "subject"),
        Column("STATE", "state"),
        Column("ERROR", "error"),
        Column("BEGUN", lambda item: when(item["created_at"])),
        Column("ENDED", lambda item: when(item["finished_at"]) if item["finished_at"] else None),
        Column("BY", "requested_by"),
    ),
    parts=lambda item: [("steps", table(item["steps"], STEPS))],
    empty="no operations yet: adding a host or composing a machine starts one",
    example="ID",
    by="ID",
)

app = make_app(NOUN)

Key = Annotated[str, typer.Argument(metavar="OPERATION", help=NOUN.key)]


@app.command("list")
@lists(NOUN.listing(is_ordered=True, unfinished="no operation is running or stuck"))
def list_(
    context: typer.Context,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Show only operations that are running or stuck.")
    ] = False,
    limit: Limit = 50,
) -> list[answers.Operation]:
    """List operations, newest first.

    Example: `hostloom operation list --unfinished`
    """
    with open_client(context) as client:
        return client.operations.list(limit, unfinished=unfinished or None)


add_show(app, NOUN)


@app.command("follow")
def follow_(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Follow an operation to its end; the exit code tells its result.

    Example: `hostloom operation follow ID`
    """
    with open_client(context) as client:
        operation = follow(client, client.operations.get(key), output)
    code = exit_of_operation(operation)
    if code:
        tell_end(operation)
    show_done(f"{operation['saga']} {operation['subject']}: {operation['state']}", operation, output)
    raise typer.Exit(code)


@app.command("cancel")
def cancel(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Stop an operation after its current step and undo what it did.

    Example: `hostloom operation cancel ID`
    """
    with open_client(context) as client:
        operation = client.operations.cancel(key)
    show_done(
        f"{operation['saga']} {operation['subject']} will stop after its current step", operation, output
    )


@app.command("retry")
def retry(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Continue a stuck operation.

    Example: `hostloom operation retry ID`
    """
    with open_client(context) as client:
        operation = client.operations.retry(key)
    show_done(f"{operation['saga']} {operation['subject']} continues", operation, output)
