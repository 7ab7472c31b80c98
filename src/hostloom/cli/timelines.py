"""`hostloom machine dhcp`: a machine's DHCP messages observed on the wire."""

from typing import Annotated, Literal

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.lifecycle import Key
from hostloom.cli.output import Format, Output, show, show_data, table, when
from hostloom.cli.session import open_client
from hostloom.client import answers, keys


class _Row(answers.DhcpMessage):
    """A message with its NIC."""

    nic: str


COLUMNS: Columns[_Row, keys.DhcpMessageKey | Literal["nic"]] = (
    Column("TIME", lambda item: when(item["at"])),
    Column("NIC", "nic"),
    Column("MESSAGE", "kind"),
    Column("ADDRESS", "ip"),
    Column("SERVER", "server", rank=1),
    Column("FROM", "vendor", rank=2),
    Column("WORDS", "message", text=True),
)


def dhcp(
    context: typer.Context,
    key: Key,
    nic: Annotated[str | None, typer.Argument(help="Show this NIC only.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what a machine's NICs requested by DHCP, who answered, and why the exchange stopped.

    Example: `hostloom machine dhcp web1 eth0`
    """
    with open_client(context) as client:
        timeline = client.machines.get_dhcp(key, nic=nic)
    if output is not Format.TABLE:
        show_data(timeline, output)
        return
    rows: list[_Row] = [
        {"nic": item["nic"], **message}
        for item in timeline["items"]
        for exchange in item["exchanges"]
        for message in exchange["messages"]
    ]
    verdicts = [f"{item['nic']}: {item['exchanges'][-1]['text']}" for item in timeline["items"]]
    show(*([table(rows, COLUMNS)] if rows else []), *verdicts)
