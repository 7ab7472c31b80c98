"""The command line: `hostloom NOUN VERB [NAME] [--options]`."""

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer._click.exceptions import ClickException  # typer has no public name for it

from hostloom.cli import (
    access,
    addresses,
    apikeys,
    events,
    fabrics,
    groupings,
    host_networks,
    hosts,
    images,
    imports,
    machines,
    nodes,
    operations,
    plans,
    racks,
    ranges,
    serve,
    simulate,
    spaces,
    storage_pools,
    subnets,
    vlans,
    world,
)
from hostloom.cli.exits import Exit, report, tell
from hostloom.cli.output import asked_format, declared_width, format_of
from hostloom.cli.session import Choice
from hostloom.cli.usage import tell_usage
from hostloom.client import ClientError

app = typer.Typer(
    name="hostloom",
    help="Manages KVM hosts and weaves virtual machines into the physical network.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

NETWORK, HOSTS, ACCESS, HERE = (
    "The network",
    "Hosts and machines",
    "Users and groups",
    "Server, login and world files",
)

for _name, _app, _panel in (
    ("fabric", fabrics.app, NETWORK),
    ("vlan", vlans.app, NETWORK),
    ("space", spaces.app, NETWORK),
    ("subnet", subnets.app, NETWORK),
    ("range", ranges.app, NETWORK),
    ("address", addresses.app, NETWORK),
    ("rack", racks.app, NETWORK),
    ("node", nodes.app, HOSTS),
    ("host", hosts.app, HOSTS),
    ("storage-pool", storage_pools.app, HOSTS),
    ("machine", machines.app, HOSTS),
    ("plan", plans.app, HOSTS),
    ("operation", operations.app, HOSTS),
    ("image", images.app, HOSTS),
    ("event", events.app, HOSTS),
    ("zone", groupings.zone, ACCESS),
    ("resource-pool", groupings.resource_pool, ACCESS),
    ("domain", groupings.domain, ACCESS),
    ("tag", groupings.tag, ACCESS),
    ("user", access.user, ACCESS),
    ("token", access.token, ACCESS),
    ("apikey", apikeys.apikey, ACCESS),
    ("world", world.app, HERE),
    ("import", imports.app, HERE),
):
    app.add_typer(_app, name=_name, rich_help_panel=_panel)

hosts.app.command("networks")(host_networks.networks)
hosts.app.command("fix-network")(host_networks.fix_network)
app.command("login", rich_help_panel=HERE)(access.login)
app.command("logout", rich_help_panel=HERE)(access.logout)
app.command("simulate", rich_help_panel=HERE)(simulate.simulate)
app.command("serve", rich_help_panel=HERE)(serve.serve)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hostloom {version('hostloom')}")
        raise typer.Exit


@app.callback()
def choose(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(envvar="HOSTLOOM_URL", help="The server; default: as logged in.")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="HOSTLOOM_TOKEN", help="The token to show it.")] = None,
    socket: Annotated[
        Path | None,
        typer.Option(
            envvar="HOSTLOOM_SOCKET",
            help="Its Unix socket; default: /run/hostloom/api.sock, unless logged in.",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001  # its callback answers
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Say which server the commands speak to."""
    context.obj = Choice(url, token, socket)


@cache
def _command() -> Callable[..., int | None]:
    """The whole tree of commands, which takes a while to build."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line; the exit code says how it went (docs/reference/exit-codes.md)."""
    if declared_width() is None:
        os.environ.pop("COLUMNS", None)  # 0, for example, with which help would be empty
    asked_format.set(format_of(sys.argv[1:]))
    try:
        sys.exit(_command()(prog_name="hostloom", standalone_mode=False))
    except ClickException as error:
        sys.exit(tell_usage(error))
    except ClientError as error:
        sys.exit(report(error))
    except typer.Abort:
        tell("nothing was done: the question was not answered with yes")
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except OSError as error:
        tell(f"{error.filename or 'a file'}: {error.strerror or error}")
        sys.exit(Exit.FAILED)
