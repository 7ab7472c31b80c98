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
from hostloom.model.event_kind import EventKind, Severity

Subject = Annotated[
    str | None,
    typer.Option("--subject", help="Show only events about this subject: `machine web1`, or just `web1`."),
]

Kinds = Annotated[
    list[EventKind] | None,
    typer.Option("--kind", metavar="KIND", help="Show only events of this kind; repeatable."),
]
Least = Annotated[
    Severity | None,
    typer.Option("--severity", help="Show only events of this severity or a higher one."),
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
MORE: Columns[answers.Event, keys.EventKey] = (Column("SEVERITY", "severity"),)


@app.callback()
def events() -> None:
    """Events: the history of hosts, machines and the network."""


@app.command("list")
@lists(Listing(COLUMNS, "no matching events yet", by="SUBJECT", more=MORE, is_ordered=True))
def list_(
    context: typer.Context,
    subject: Subject = None,
    kind: Kinds = None,
    severity: Least = None,
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
    - `hostloom event list --severity warning`
    - `hostloom event list --kind host-lost --kind host-back`
    - `hostloom event list --follow`
    """
    with open_client(context) as client:
        query = {"subject": subject, "kind": kind, "severity": severity}
        events = client.events.list(limit, **query)
        if not follow:
            return events
        for event in reversed(events):
            _print(event)
        for event in new_events(client, events[0]["id"] if events else 0, **query):
            _print(event)
    return []


def _print(event: answers.Event) -> None:
    """Print one event immediately: a line of text, or for programs a line of JSON."""
    if asked_format.get() is Format.TABLE:
        text = f"{when(event['at'])}  {event['kind']}  {event['subject']}: {cell(event['message'])}"
    else:
        text = json.dumps(with_iso_times(event), ensure_ascii=False)
    print(text, flush=True)  # flushed line by line, also into a pipe
