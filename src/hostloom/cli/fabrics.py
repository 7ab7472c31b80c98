"""`hostloom fabric`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, given, make_app
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.client import answers, keys

NOUN = NounCommands[answers.Fabric, keys.FabricKey](
    "fabric",
    "A fabric by name or id.",
    lambda client: client.fabrics,
    (
        Column("ID", "id", right=True),
        Column("NAME", "name"),
        Column("CLASS", "class_type"),
        Column("DESCRIPTION", "description", text=True, rank=1),
    ),
    empty="no fabrics yet: `hostloom fabric create NAME` creates one; adding a host also creates one",
    example="fabric-0",
)

app = make_app(NOUN)


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the fabric.")],
    class_type: Annotated[
        str | None, typer.Option("--class", help="Class of the fabric, for the constraint `fabric_class=`.")
    ] = None,
    description: Annotated[str, typer.Option(help="Free-text description.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Create a fabric together with its untagged VLAN.

    Example: `hostloom fabric create office --class 10g`
    """
    body = {"name": name, "class_type": class_type, "description": description}
    with open_client(context) as client:
        fabric = client.fabrics.create(body)
    show_done(f"fabric {fabric['name']} created (id {fabric['id']})", fabric, output)


add_list(app, NOUN)
add_show(app, NOUN)


@app.command("update")
def update(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="NAME", help=NOUN.key)],
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    class_type: Annotated[
        str | None, typer.Option("--class", help="Class of the fabric; '' removes it.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a fabric.

    Example: `hostloom fabric update fabric-0 --name office`
    """
    changes = given(name=name, description=description)
    if class_type is not None:
        changes["class_type"] = class_type or None
    with open_client(context) as client:
        NOUN.show(client.fabrics.update(key, changes), output)


add_delete(app, NOUN)
