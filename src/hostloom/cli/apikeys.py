"""`hostloom apikey`: keys for clients of MAAS's API."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, make_app
from hostloom.cli.output import Format, Output, say, show_done, when
from hostloom.cli.session import open_client
from hostloom.client import answers, keys

APIKEY = NounCommands[answers.ApiKey, keys.ApiKeyKey](
    "apikey",
    "The second part of a key, as `list` shows it.",
    lambda client: client.apikeys,
    (
        Column("ID", "id"),
        Column("USER", "user"),
        Column("NAME", "name"),
        Column("CREATED", lambda item: when(item["created_at"]), field="created_at", rank=1),
    ),
    empty="no API keys yet: `hostloom apikey create USER` creates one for Terraform, Ansible, Juju or `maas`",
    example="4f7d2c9b1a0e8d6c5b",
    by="ID",
)

apikey = make_app(APIKEY)

add_list(apikey, APIKEY)
add_delete(apikey, APIKEY, "Clients that use it lose access.")


@apikey.command("create")
def create_apikey(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="User that the key belongs to.")],
    name: Annotated[str, typer.Option(help="What the key is used for.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Create an API key and print it; it is shown only this once.

    Example: `hostloom apikey create ann --name terraform`
    """
    with open_client(context) as client:
        document = client.apikeys.create({"user": user, "name": name})
    if output is Format.TABLE:
        say(f"API key {document['id']} of user {document['user']}; store it, it is not shown again:")
    show_done(document["text"] or "", document, output)
