"""Chooses the server and the credentials for the command line."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from hostloom.client import Client, Target

#: The default of server/config.py; the server's settings may have another path.
DEFAULT_SOCKET = Path("/run/hostloom/api.sock")


@dataclass(frozen=True)
class ServerChoice:
    """The options before the noun."""

    url: str | None = None
    token: str | None = None
    socket: Path | None = None


def open_client(context: typer.Context) -> Client:
    """A client for the chosen server, for use in a `with` statement."""
    choice = context.find_object(ServerChoice) or ServerChoice()
    return Client(find_target(choice))


def find_target(choice: ServerChoice) -> Target:
    """The socket or URL from options or variables, else from `login`, else the local socket."""
    if choice.socket is not None:
        return Target(socket=choice.socket)
    if choice.url is not None:
        stored = read_login()
        token = stored.token if stored is not None and stored.url == choice.url else ""
        return Target(url=choice.url, token=choice.token or token)
    stored = read_login()
    if stored is not None:
        return replace(stored, token=choice.token or stored.token)
    return Target(socket=DEFAULT_SOCKET)


def login_file() -> Path:
    """The file in which `login` stores the URL and token."""
    root = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(root) / "hostloom" / "login.json"


def read_login() -> Target | None:
    """The URL and token that `login` stored; None without a readable file."""
    try:
        document = json.loads(login_file().read_text(encoding="utf-8"))
        return Target(url=str(document["url"]), token=str(document["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_login(url: str, token: str) -> Path:
    """Store the URL and token in a file that only the user can read."""
    path = login_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"url": url, "token": token}, file)
    return path
