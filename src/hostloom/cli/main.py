"""The command line: `hostloom NOUN VERB [NAME] [--options]`."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer
from typer._click.exceptions import ClickException  # typer has no public name for it

from hostloom.cli.exit_codes import Exit, report, tell
from hostloom.cli.lazy import LazyGroup
from hostloom.cli.output import asked_format, declared_width, format_of
from hostloom.cli.session import ServerChoice
from hostloom.cli.usage import tell_usage
from hostloom.client import ClientError

app = typer.Typer(
    name="hostloom",
    cls=LazyGroup,
    help="Manages KVM hosts and connects virtual machines to the physical network.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_requested: bool) -> None:
    if is_requested:
        from importlib.metadata import version

        typer.echo(f"hostloom {version('hostloom')}")
        raise typer.Exit


@app.callback()
def choose(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="HOSTLOOM_URL", help="URL of the server; default: the URL stored by `hostloom login`."
        ),
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="HOSTLOOM_TOKEN", help="API token.")] = None,
    socket: Annotated[
        Path | None,
        typer.Option(
            envvar="HOSTLOOM_SOCKET",
            help="Unix socket of the server; default: /run/hostloom/api.sock, unless logged in.",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001  # handled by its callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Choose the server for the commands."""
    context.obj = ServerChoice(url, token, socket)


@cache
def command_tree() -> LazyGroup:
    """The tree of commands, which are imported at their first use."""
    return cast("LazyGroup", typer.main.get_command(app))


def main() -> None:
    """Run the command line and exit with its code (docs/reference/exit-codes.md)."""
    if declared_width() is None:
        os.environ.pop("COLUMNS", None)  # with COLUMNS=0, for example, the help would be empty
    before = asked_format.set(format_of(sys.argv[1:]))
    try:
        _run()
    finally:
        asked_format.reset(before)


def _run() -> NoReturn:
    try:
        sys.exit(command_tree()(prog_name="hostloom", standalone_mode=False))
    except ClickException as error:
        sys.exit(tell_usage(error))
    except ClientError as error:
        sys.exit(report(error))
    except typer.Abort:
        tell("nothing was changed, because the answer was not yes")
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except OSError as error:
        tell(f"{error.filename or 'a file'}: {error.strerror or error}")
        sys.exit(Exit.FAILED)
