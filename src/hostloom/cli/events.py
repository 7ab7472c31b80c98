"""`hostloom event`."""

import typer

from hostloom.cli.columns import Column
from hostloom.cli.listing import Limit, Listing, lists
from hostloom.cli.output import when
from hostloom.cli.session import open_client
from hostloom.client import Document

app = typer.Typer(help="Events: what happened.", no_args_is_help=True, rich_markup_mode="markdown")

COLUMNS = (
    Column("WHEN", lambda item: when(item["at"]), field="at"),
    Column("KIND", "kind"),
    Column("SUBJECT", "subject"),
    Column("MESSAGE", "message", text=True),
)


@app.callback()
def events() -> None:
    """Events: what happened."""


@app.command("list")
@lists(Listing(COLUMNS, "nothing has happened yet", by="SUBJECT", is_ordered=True))
def list_(
    context: typer.Context,
    limit: Limit = 50,
) -> list[Document]:
    """List events, newest first.

    Example: `hostloom event list --limit 10`
    """
    with open_client(context) as client:
        return client.events.list(limit)
