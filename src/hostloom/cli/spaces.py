"""`hostloom space`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, given, make_app
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.client import answers, keys

NOUN = NounCommands[answers.Space, keys.SpaceKey](
    "space",
    "Space, by name or id.",
    lambda client: client.spaces,
    (
        Column("ID", "id", right=True),
        Column("NAME", "name"),
        Column("VLANS", "vlans"),
        Column("DESCRIPTION", "description"),
    ),
    empty="no spaces yet: `hostloom space create NAME`, then `hostloom vlan update FABRIC/VID --space NAME`",
    example="dmz",
)

app = make_app(NOUN)


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the space.")],
    description: Annotated[str, typer.Option(help="Free-text description.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Create a space.

    Example: `hostloom space create dmz`
    """
    with open_client(context) as client:
        space = client.spaces.create({"name": name, "description": description})
    show_done(f"space {space['name']} created (id {space['id']})", space, output)


add_list(app, NOUN)
add_show(app, NOUN)


@app.command("update")
def update(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="NAME", help=NOUN.key)],
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a space.

    Example: `hostloom space update dmz --name perimeter`
    """
    with open_client(context) as client:
        NOUN.show(client.spaces.update(key, given(name=name, description=description)), output)


add_delete(app, NOUN)
