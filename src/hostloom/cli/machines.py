"""`hostloom machine`."""

from typing import Annotated

import typer

from hostloom.cli import commissioning, compose, lifecycle, proofs, timelines
from hostloom.cli.columns import Column
from hostloom.cli.exits import Exit, fail
from hostloom.cli.follow import finish
from hostloom.cli.hosts import Wait
from hostloom.cli.listing import lists
from hostloom.cli.nics import parts_of
from hostloom.cli.nodes import Tags, tags_of
from hostloom.cli.nouns import Noun, Yes, add_show, confirm, given, make_app
from hostloom.cli.output import Format, Output, memory, show_data, show_done
from hostloom.cli.session import open_client
from hostloom.client import Document

NOUN = Noun(
    "machine",
    "A machine by hostname or system id.",
    lambda client: client.machines,
    (
        Column("HOSTNAME", "hostname"),
        Column("HOST", "host", rank=1),
        Column("STATE", "state"),
        Column("POWER", "power"),
        Column("CORES", "cores", right=True, rank=3),
        Column("MEMORY", lambda item: memory(item["memory_mib"]), right=True, field="memory_mib", rank=3),
        Column("ADDRESSES", lambda item: [ip for nic in item["interfaces"] for ip in nic["ips"]]),
        Column("WIRE", proofs.worst, rank=2),
        Column("ORIGIN", "origin", rank=4),
    ),
    (
        Column("HOSTNAME", "hostname"),
        Column("SYSTEM ID", "system_id"),
        Column("UUID", "uuid"),
        Column("HOST", "host"),
        Column("STATE", "state"),
        Column("POWER", "power"),
        Column("ORIGIN", "origin"),
        Column("ARCHITECTURE", "architecture"),
        Column("CORES", "cores"),
        Column("MEMORY", lambda item: memory(item["memory_mib"])),
        Column("NETWORK BOOT", "netboot"),
        *commissioning.LINES,
        Column("ZONE", "zone"),
        Column("RESOURCE POOL", "resource_pool"),
        Column("TAGS", "tags"),
        Column("OWNER", "owner"),
        Column("LOCKED", "locked"),
    ),
    parts=lambda item: [*parts_of(item), *proofs.parts_of(item), *commissioning.parts_of(item)],
    empty="no machines yet: `hostloom machine compose` makes one, `hostloom machine plan` shows it first",
    example="vm1",
)
app = make_app(NOUN, "Machines: plan, compose, look at, switch and take apart.")

Key = Annotated[str, typer.Argument(metavar="MACHINE", help=NOUN.key)]


app.command("plan")(compose.plan)
app.command("compose")(compose.compose)
app.command("verify")(proofs.verify)
app.command("dhcp")(timelines.dhcp)
app.command("boot")(commissioning.boot)
app.command("commission")(commissioning.commission)
app.command("forget")(commissioning.forget)
app.command("release")(lifecycle.release)
app.command("lock")(lifecycle.lock)
app.command("unlock")(lifecycle.unlock)


@app.command("list")
@lists(NOUN.listing())
def list_(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Only those on this host.")] = None,
) -> list[Document]:
    """List machines.

    Examples:

    - `hostloom machine list --host kvm1`
    - `hostloom machine list --filter power=off --filter 'hostname=web-*' -q`
    """
    with open_client(context) as client:
        return client.machines.list(**given(host=host))


add_show(app, NOUN)


@app.command("why")
def why(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show the explanation that a machine was placed by.

    Example: `hostloom machine why web1`
    """
    with open_client(context) as client:
        found = client.machines.ask(key, "why")
    if output is Format.TABLE:
        typer.echo("\n".join(found["text"]))
    else:
        show_data(found, output)


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    zone: Annotated[str | None, typer.Option(help="A zone by name or id.")] = None,
    resource_pool: Annotated[str | None, typer.Option(help="A resource pool by name or id.")] = None,
    tag: Tags = None,
    output: Output = Format.TABLE,
) -> None:
    """Change what a machine is grouped by.

    Example: `hostloom machine update web1 --tag production`
    """
    changes = given(zone=zone, resource_pool=resource_pool, tags=tags_of(tag))
    if not changes:
        raise fail("nothing to change", "`--zone`, `--resource-pool` or `--tag` say what", Exit.USAGE)
    with open_client(context) as client:
        NOUN.show(client.machines.update(key, changes), output)


@app.command("start")
def start(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Power a machine on.

    Example: `hostloom machine start web1`
    """
    with open_client(context) as client:
        changed = client.machines.act(key, "start")
    show_done(f"machine {changed['hostname']}: power {changed['power']}", changed, output)


@app.command("stop")
def stop(
    context: typer.Context,
    key: Key,
    force: Annotated[bool, typer.Option("--force", help="Cut its power instead of asking it.")] = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Ask a machine to shut down, or cut its power.

    Example: `hostloom machine stop web1`
    """
    if force:
        confirm(f"Cut the power of machine {key}?", yes=yes)
    with open_client(context) as client:
        changed = client.machines.act(key, "stop", {"force": force})
    asked = "" if force else " (asked to shut down)"
    show_done(f"machine {changed['hostname']}: power {changed['power']}{asked}", changed, output)


@app.command("console-log")
def console_log(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show the end of a machine's serial console.

    Example: `hostloom machine console-log web1`
    """
    with open_client(context) as client:
        found = client.machines.ask(key, "console-log")
    if output is Format.TABLE:
        typer.echo(found["log"], nl=not found["log"].endswith("\n"))
    else:
        show_data(found, output)


@app.command("decompose")
def decompose(
    context: typer.Context, key: Key, yes: Yes = False, wait: Wait = True, output: Output = Format.TABLE
) -> None:
    """Take a composed machine apart: its disks, NICs and addresses go with it.

    Example: `hostloom machine decompose web1 --yes`
    """
    confirm(f"Delete machine {key} with its disks?", yes=yes)
    with open_client(context) as client:
        done = finish(client, client.machines.delete(key), output, wait=wait)
    show_done(f"machine {key} is gone", done, output)
