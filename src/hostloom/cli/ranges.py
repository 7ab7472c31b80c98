"""`hostloom range`."""

from enum import StrEnum
from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, given, make_app
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.client import answers, keys


class RangeKindChoice(StrEnum):
    """The purpose of a range."""

    DYNAMIC = "dynamic"
    RESERVED = "reserved"


NOUN = NounCommands[answers.Range, keys.RangeKey](
    "range",
    "A range by id or START-END.",
    lambda client: client.ranges,
    (
        Column("ID", "id", right=True),
        Column("SUBNET", "subnet"),
        Column("KIND", "kind"),
        Column("START", "start"),
        Column("END", "end"),
        Column("COMMENT", "comment", text=True, rank=1),
    ),
    empty="no ranges yet: `hostloom range create SUBNET --kind dynamic --start IP --end IP` creates one",
    example="10.0.0.200-10.0.0.250",
    by="ID",
)

app = make_app(NOUN)


@app.command("create")
def create(
    context: typer.Context,
    subnet: Annotated[str, typer.Argument(help="Subnet, by CIDR, id or name.")],
    kind: Annotated[RangeKindChoice, typer.Option(help="Purpose of the range.")],
    start: Annotated[str, typer.Option(help="First address.")],
    end: Annotated[str, typer.Option(help="Last address.")],
    comment: Annotated[str, typer.Option(help="Free-text description.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Create a range.

    Example: `hostloom range create 10.0.0.0/24 --kind dynamic --start 10.0.0.200 --end 10.0.0.250`
    """
    body = {"subnet": subnet, "kind": kind.value, "start": start, "end": end, "comment": comment}
    with open_client(context) as client:
        ip_range = client.ranges.create(body)
    bounds = f"{ip_range['start']}-{ip_range['end']}"
    text = f"{ip_range['kind']} range {bounds} created in {ip_range['subnet']} (id {ip_range['id']})"
    show_done(text, ip_range, output)


add_list(app, NOUN)
add_show(app, NOUN)


@app.command("update")
def update(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="RANGE", help=NOUN.key)],
    start: Annotated[str | None, typer.Option(help="First address.")] = None,
    end: Annotated[str | None, typer.Option(help="Last address.")] = None,
    comment: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a range's ends or comment.

    Example: `hostloom range update 10.0.0.200-10.0.0.250 --end 10.0.0.240`
    """
    with open_client(context) as client:
        NOUN.show(client.ranges.update(key, given(start=start, end=end, comment=comment)), output)


add_delete(app, NOUN)
