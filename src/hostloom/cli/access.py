"""`hostloom user`, `hostloom token`, `hostloom login` and `hostloom logout`."""

import os
import sys
from getpass import getpass
from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, given, make_app
from hostloom.cli.listing import lists
from hostloom.cli.output import Format, Output, say, show_done, when
from hostloom.cli.session import login_file, open_client, write_login
from hostloom.client import Client, Target, answers, keys

USER = NounCommands[answers.User, keys.UserKey](
    "user",
    "A user by name or id.",
    lambda client: client.users,
    (Column("ID", "id", right=True), Column("NAME", "name"), Column("ADMIN", "admin")),
    empty="no users yet: `hostloom user create NAME --admin`, then `hostloom token create --user NAME`",
    example="ann",
)
TOKEN = NounCommands[answers.Token, keys.TokenKey](
    "token",
    "The first part of a token, as `list` shows it.",
    lambda client: client.tokens,
    (
        Column("ID", "id"),
        Column("USER", "user"),
        Column("NAME", "name"),
        Column("CREATED", lambda item: when(item["created_at"]), field="created_at", rank=1),
    ),
    empty="no tokens yet: `hostloom token create --user NAME` creates one",
    example="1a2b3c4d",
    by="ID",
)

user = make_app(USER)
token = make_app(TOKEN)

add_list(user, USER)
add_show(user, USER)
add_delete(user, USER)
add_delete(token, TOKEN, "Clients that use it lose access.")


@user.command("create")
def create_user(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the user.")],
    admin: Annotated[bool, typer.Option("--admin", help="Make the user an administrator.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Create a user.

    Example: `hostloom user create ann --admin`
    """
    with open_client(context) as client:
        user_document = client.users.create({"name": name, "admin": admin})
    show_done(f"user {user_document['name']} created", user_document, output)


@token.command("create")
def create_token(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="User that the token belongs to.")],
    name: Annotated[str, typer.Option(help="What the token is used for.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Create a token and print it; it is shown only this once.

    Example: `hostloom token create --user ann --name laptop`
    """
    with open_client(context) as client:
        token_document = client.tokens.create({"user": user, "name": name})
    if output is Format.TABLE:
        say(
            f"token {token_document['id']} of user {token_document['user']}; store it, it is not shown again:"
        )
    show_done(token_document["text"] or "", token_document, output)


@token.command("list")
@lists(TOKEN.listing())
def list_tokens(
    context: typer.Context,
    user: Annotated[str | None, typer.Option(help="Show only the tokens of this user.")] = None,
) -> list[answers.Token]:
    """List tokens without their secrets.

    Example: `hostloom token list --user ann`
    """
    with open_client(context) as client:
        return client.tokens.list(**given(user=user))


def login(
    url: Annotated[str, typer.Argument(help="URL of the server, such as http://127.0.0.1:5240.")],
    token: Annotated[
        str | None,
        typer.Argument(help="Token. Better omit it, because process lists show arguments."),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Store a server and a token after testing them; only you can read the file.

    The token is read from HOSTLOOM_TOKEN or standard input, or asked for.

    Example: `hostloom login http://hostloom.example:5240 < token`
    """
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{url!r} does not start with http:// or https://", param_hint="URL")
    token = _token_text(token)
    with Client(Target(url=url.rstrip("/"), token=token)) as client:
        about = client.about()
    path = write_login(url.rstrip("/"), token)
    show_done(f"logged in to {url} as {about['user']} (stored in {path})", about, output)


def _token_text(argument: str | None) -> str:
    """Read the token; BadParameter for an empty one."""
    if argument is not None:
        say("the token is visible in the process list and the shell's history; omit it to be asked for it")
        return argument
    text = os.environ.get("HOSTLOOM_TOKEN", "")
    if not text:
        text = getpass("token: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not text.strip():
        raise typer.BadParameter("the token is empty", param_hint="TOKEN")
    return text.strip()


def logout(output: Output = Format.TABLE) -> None:
    """Delete the server and token that `login` stored.

    Example: `hostloom logout`
    """
    path = login_file()
    was = path.exists()
    path.unlink(missing_ok=True)
    show_done("logged out" if was else "not logged in", {"logged_out": was}, output)
