"""`hostloom ssh-key`: public SSH keys of users, which open the machines that they deploy."""

from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_delete, given, make_app
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.listing import lists
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.cli.text_files import name_of, read_text
from hostloom.client import answers, keys

#: A file with more is no public key.
MAX_CHARACTERS = 64 * 1024
SSH_KEY = NounCommands[answers.SshKey, keys.SshKeyKey](
    "ssh-key",
    "An SSH key by id, name or fingerprint.",
    lambda client: client.ssh_keys,
    (
        Column("ID", "id", right=True),
        Column("USER", "user"),
        Column("NAME", "name"),
        Column("TYPE", lambda item: item["public_key"].split()[0], field="public_key", rank=2),
        Column("FINGERPRINT", "fingerprint", rank=1),
    ),
    empty="no SSH keys yet: `hostloom ssh-key create ~/.ssh/id_ed25519.pub` adds one",
    example="ann@laptop",
)

app = make_app(SSH_KEY)

add_delete(app, SSH_KEY, "Machines that are deployed with it keep it.")


@app.command("create")
def create_ssh_key(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="File with one public key, such as ~/.ssh/id_ed25519.pub; - is standard input."),
    ],
    name: Annotated[str, typer.Option(help="Name of the key; by default its comment.")] = "",
    user: Annotated[str, typer.Option(help="User that the key belongs to; by default you.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Add a public SSH key. Machines that its user deploys from now on accept it.

    Example: `hostloom ssh-key create ~/.ssh/id_ed25519.pub --user ann`
    """
    body = {"public_key": read_public_key(file), "name": name, "user": user}
    with open_client(context) as client:
        document = client.ssh_keys.create(body)
    text = f"SSH key {document['id']} of user {document['user']} created: {document['name']}"
    show_done(text, document, output)


@app.command("list")
@lists(SSH_KEY.listing())
def list_ssh_keys(
    context: typer.Context,
    user: Annotated[str | None, typer.Option(help="Show only the keys of this user.")] = None,
) -> list[answers.SshKey]:
    """List your SSH keys; administrators see those of all users.

    Example: `hostloom ssh-key list --user ann`
    """
    with open_client(context) as client:
        return client.ssh_keys.list(**given(user=user))


def read_public_key(file: Path) -> str:
    """The line with the key in a file or in standard input; ends the command if there is not exactly one."""
    text = read_text(file, "give a public key, such as ~/.ssh/id_ed25519.pub", MAX_CHARACTERS)
    source = name_of(file)
    if "PRIVATE KEY" in text:
        raise fail(f"{source}: this is a private key", "give the file that ends in .pub", Exit.USAGE)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise fail(f"{source}: it has {len(lines)} keys", "give one key at a time", Exit.USAGE)
    return lines[0]
