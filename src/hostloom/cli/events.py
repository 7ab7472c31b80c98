"""`hostloom event`."""

import json
from typing import Annotated

import typer

from hostloom.cli.columns import Column, Columns, cell
from hostloom.cli.listing import Limit, Listing, lists
from hostloom.cli.output import Format, asked_format, when, with_iso_times
from hostloom.cli.session import open_client
from hostloom.cli.tail import new_events
from hostloom.client import answers, keys

Subject = Annotated[
    str | None,
    typer.Option("--subject", help="Show only events about this: `machine web1`, or just `web1`."),
]

app = typer.Typer(
    help="Events: the history of hosts, machines and the network.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

COLUMNS: Columns[answers.Event, keys.EventKey] = (
    Column("WHEN", lambda item: when(item["at"]), field="at"),
    Column("KIND", "kind"),
    Column("SUBJECT", "subject"),
    Column("MESSAGE", "message", text=True),
)


@app.callback()
def events() -> None:
    """Events: the history of hosts, machines and the network."""


@app.command("list")
@lists(Listing(COLUMNS, "nothing has happened yet", by="SUBJECT", is_ordered=True))
def list_(
    context: typer.Context,
    subject: Subject = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Show the latest events, then new ones as they happen, until Ctrl-C."
        ),
    ] = False,
    limit: Limit = 50,
) -> list[answers.Event]:
    """List events, newest first; with --follow, oldest first.

    Examples:

    - `hostloom event list --limit 10`
    - `hostloom event list --subject web1`
    - `hostloom event list --follow`
    """
    with open_client(context) as client:
        found = client.events.list(limit, subject=subject)
        if not follow:
            return found
        for event in reversed(found):
            _print(event)
        for event in new_events(client, subject, since=found[0]["id"] if found else 0):
            _print(event)
    return []


def _print(event: answers.Event) -> None:
    """One event, at once: a line, and for programs a line of JSON."""
    if asked_format.get() is Format.TABLE:
        text = f"{when(event['at'])}  {event['kind']}  {event['subject']}: {cell(event['message'])}"
    else:
        text = json.dumps(with_iso_times(event), ensure_ascii=False)
    print(text, flush=True)  # a line at a time, also into a pipe
