"""The command line: `hostloom NOUN VERB [NAME] [--options]`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

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
    subnets,
    vlans,
    world,
)
from hostloom.cli.exits import Exit, report
from hostloom.cli.session import Choice
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
) -> None:
    """Say which server the commands speak to."""
    context.obj = Choice(url, token, socket)


def main() -> None:
    """Run the command line; the exit code says how it went (docs/reference/exit-codes.md)."""
    try:
        app(prog_name="hostloom")
    except ClientError as error:
        sys.exit(report(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
