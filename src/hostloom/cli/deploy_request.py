"""The options that say what is installed on a machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.text_files import read_text
from hostloom.cli.user_ssh_keys import read_public_key
from hostloom.model.deployment import DeployRequest

SshKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--ssh-key",
        metavar="FILE",
        help="File with a public SSH key for the user; may be repeated; default: your keys (`ssh-key list`).",
    ),
]
Account = Annotated[
    str, typer.Option(help="User whom the keys give access; default: the default user of the image.")
]
UserData = Annotated[
    Path | None,
    typer.Option("--user-data", metavar="FILE", help="Your own configuration for cloud-init."),
]

#: The server refuses more bytes.
MAX_USER_DATA_CHARACTERS = 64 * 1024


def deploy_request(
    image: str | None, ssh_keys: Sequence[Path] | None, user: str, user_data: Path | None
) -> DeployRequest | None:
    """The request, with the contents of the files; None without an image."""
    if image is None:
        named = {"--ssh-key": ssh_keys, "--user": user, "--user-data": user_data}
        others = [option for option, value in named.items() if value]
        if others:
            raise fail(
                f"{' and '.join(others)} needs --image",
                "name the image to install",
                Exit.USAGE,
            )
        return None
    keys = tuple(read_public_key(path) for path in ssh_keys or ())
    return DeployRequest(
        image, user, keys, "" if user_data is None else read_text(user_data, limit=MAX_USER_DATA_CHARACTERS)
    )
