"""`hostloom event`."""

from typing import Annotated

import typer

from hostloom.cli.output import Column, Format, Output, show_list, when
from hostloom.cli.session import open_client

app = typer.Typer(help="Events: what happened.", no_args_is_help=True, rich_markup_mode="markdown")

COLUMNS = (
    Column("WHEN", lambda item: when(item["at"])),
    Column("KIND", "kind"),
    Column("SUBJECT", "subject"),
    Column("MESSAGE", "message"),
)


@app.callback()
def events() -> None:
    """Events: what happened."""


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="So many, newest first.")] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List events, newest first.

    Example: `hostloom event list --limit 10`
    """
    with open_client(context) as client:
        show_list(client.events.list(limit), COLUMNS, output, "nothing has happened yet")
