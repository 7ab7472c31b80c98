"""The options that say what is installed on a machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.user_ssh_keys import read_public_key
from hostloom.model.deployment import DeployRequest

SshKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--ssh-key",
        metavar="FILE",
        help="Public key that opens the account; may be repeated; default: your keys (`ssh-key list`).",
    ),
]
Account = Annotated[str, typer.Option(help="Account that the keys open; default: that of the image.")]
UserData = Annotated[
    Path | None,
    typer.Option("--user-data", metavar="FILE", help="Your own configuration for cloud-init."),
]

#: A file with more is refused by the server anyway.
MAX_USER_DATA_BYTES = 64 * 1024


def deploy_request(
    image: str | None, ssh_keys: Sequence[Path] | None, user: str, user_data: Path | None
) -> DeployRequest | None:
    """The request, with the contents of the files; None without an image."""
    if image is None:
        named = {"--ssh-key": ssh_keys, "--user": user, "--user-data": user_data}
        others = [option for option, value in named.items() if value]
        if others:
            raise fail(
                f"--image is missing, which goes with {' and '.join(others)}",
                "name the image to install",
                Exit.USAGE,
            )
        return None
    keys = tuple(read_public_key(path) for path in ssh_keys or ())
    return DeployRequest(image, user, keys, "" if user_data is None else _read_user_data(user_data))


def _read_user_data(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_USER_DATA_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise fail(f"{path} cannot be read: {error.strerror}", "", Exit.USAGE) from error
    except UnicodeDecodeError as error:
        raise fail(f"{path} is not UTF-8 text", "", Exit.USAGE) from error
    if len(content) > MAX_USER_DATA_BYTES:
        raise fail(f"{path} has more than {MAX_USER_DATA_BYTES} bytes", "use a smaller file", Exit.USAGE)
    return text
