"""`hostloom serve`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from hostloom.cli.exit_codes import tell
from hostloom.model.errors.server import ConfigError, DatabaseUnavailable

#: EX_CONFIG of sysexits.h: a service manager should not restart the server before an operator mends it.
EX_CONFIG = 78
#: EX_TEMPFAIL: the problem may be temporary, so a restart may help.
EX_TEMPFAIL = 75


def serve(
    config: Annotated[
        Path | None, typer.Option(help="Configuration file; default /etc/hostloom/config.toml.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="ADDRESS:PORT", help="Address and port of the API over TCP.")
    ] = None,
    socket: Annotated[
        Path | None, typer.Option(help="Unix socket of the API for local administrators.")
    ] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Directory of the database and of keys.")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="sqlite:///PATH or postgresql+psycopg://USER@HOST/DB.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Run the server in the foreground until SIGTERM or Ctrl-C.

    Precedence of settings: flag, environment variable HOSTLOOM_…, configuration file.

    Examples:

    - `hostloom serve`
    - `hostloom serve --state-dir ~/hostloom --socket ~/hostloom/api.sock --listen 127.0.0.1:5241`
    """
    from hostloom.server import app

    paths = {"socket": _absolute(socket), "state_dir": _absolute(state_dir)}
    flags = {"listen": listen, **paths, "database_url": database_url, "log_level": log_level}
    try:
        app.serve(os.environ, flags, config)
    except ConfigError as error:
        tell(str(error))
        raise typer.Exit(EX_CONFIG) from None
    except (DatabaseUnavailable, OSError) as error:
        tell(f"hostloom does not start: {error}", getattr(error, "hint", ""))
        raise typer.Exit(EX_TEMPFAIL) from None


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().absolute()
