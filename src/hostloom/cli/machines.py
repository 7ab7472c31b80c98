"""`hostloom machine`."""

import sys
from typing import Annotated

import typer

from hostloom.cli import (
    commissioning,
    compose,
    deploy,
    lifecycle,
    power,
    power_settings,
    proofs,
    ssh,
    timelines,
)
from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_show, given, make_app
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.lifecycle import Key
from hostloom.cli.listing import lists
from hostloom.cli.nics import parts_of
from hostloom.cli.output import Format, Output, memory, show_data
from hostloom.cli.session import open_client
from hostloom.cli.tags import AddTags, RemoveTags, TagEdit, Tags
from hostloom.cli.tail import new_text
from hostloom.client import answers, keys


def _host(item: answers.Machine) -> str | None:
    """The host, with a mark if it does not answer."""
    return item["host"] if item["host_reachable"] else f"{item['host']} (unreachable)"


def _power(item: answers.Machine) -> str:
    """The power state; unknown while the host does not answer."""
    return str(item["power"]) if item["host_reachable"] else "unknown"


NOUN = NounCommands[answers.Machine, keys.MachineKey](
    "machine",
    "Machine, by hostname or system id.",
    lambda client: client.machines,
    (
        Column("HOSTNAME", "hostname"),
        Column("HOST", _host, field="host", rank=1),
        Column("STATE", "state"),
        Column("POWER", _power, field="power"),
        Column("CORES", "cores", right=True, rank=3),
        Column("MEMORY", lambda item: memory(item["memory_mib"]), right=True, field="memory_mib", rank=3),
        Column("ADDRESSES", lambda item: [ip for nic in item["interfaces"] for ip in nic["ips"]]),
        Column("WIRE", proofs.worst, rank=2),
        Column("ORIGIN", "origin", rank=4),
        Column("IMAGE", "image", rank=5),
    ),
    (
        Column("HOSTNAME", "hostname"),
        Column("SYSTEM ID", "system_id"),
        Column("UUID", "uuid"),
        Column("HOST", _host, field="host"),
        Column("STATE", "state"),
        Column("POWER", _power, field="power"),
        Column("ORIGIN", "origin"),
        Column("ARCHITECTURE", "architecture"),
        Column("CORES", "cores"),
        Column("MEMORY", lambda item: memory(item["memory_mib"])),
        Column("NETWORK BOOT", "netboot"),
        *commissioning.LINES,
        Column("IMAGE", "image"),
        Column("ZONE", "zone"),
        Column("RESOURCE POOL", "resource_pool"),
        Column("TAGS", "tags"),
        Column("AUTOSTART", "autostart"),
        Column("OWNER", "owner"),
        Column("LOCKED", "locked"),
        Column("DRIFT", lambda item: [change["text"] for change in item["drift"]]),
    ),
    parts=lambda item: [
        *parts_of(item),
        *proofs.parts_of(item),
        *commissioning.parts_of(item),
        *deploy.parts_of(item),
    ],
    empty="no machines yet: `hostloom machine compose` creates one, `hostloom machine plan` shows it first",
    example="vm1",
)
app = make_app(NOUN)


app.command("plan")(compose.plan)
app.command("compose")(compose.compose)
app.command("verify")(proofs.verify)
app.command("dhcp")(timelines.dhcp)
app.command("boot")(commissioning.boot)
app.command("commission")(commissioning.commission)
app.command("forget")(commissioning.forget)
app.command("start")(power.start)
app.command("stop")(power.stop)
app.command("restart")(power.restart)
app.command("decompose")(power.decompose)
app.command("deploy")(deploy.deploy)
app.command("ssh")(ssh.ssh)
app.command("power-config")(power_settings.configure)
app.command("power-check")(power_settings.check)
app.command("release")(lifecycle.release)
app.command("lock")(lifecycle.lock)
app.command("unlock")(lifecycle.unlock)
app.command("mark-broken")(lifecycle.mark_broken)
app.command("mark-fixed")(lifecycle.mark_fixed)


@app.command("list")
@lists(NOUN.listing())
def list_(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Show only machines on this host.")] = None,
) -> list[answers.Machine]:
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
    """Show why a machine was placed where it is, or why it was refused.

    Example: `hostloom machine why web1`
    """
    with open_client(context) as client:
        explanation = client.machines.get_why(key)
    if output is Format.TABLE:
        typer.echo("\n".join(explanation["text"]))
    else:
        show_data(explanation, output)


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    zone: Annotated[str | None, typer.Option(help="Zone, by name or id.")] = None,
    resource_pool: Annotated[str | None, typer.Option(help="Resource pool, by name or id.")] = None,
    tag: Tags = None,
    add_tag: AddTags = None,
    remove_tag: RemoveTags = None,
    autostart: Annotated[
        bool | None,
        typer.Option("--autostart/--no-autostart", help="Start the machine whenever its host starts."),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a machine's zone, resource pool and tags, and whether it starts with its host.

    Examples:

    - `hostloom machine update web1 --add-tag production`
    - `hostloom machine update web1 --no-autostart`
    """
    changes = given(zone=zone, resource_pool=resource_pool)
    edit = TagEdit.of(tag, add_tag, remove_tag)
    if not changes and autostart is None and not edit.is_asked:
        options = "`--zone`, `--resource-pool`, `--tag`, `--add-tag`, `--remove-tag` or `--autostart`"
        raise fail("no change is specified", f"use {options}", Exit.USAGE)
    with open_client(context) as client:
        changed = edit.update(client.machines, key, changes)
        if autostart is not None:
            changed = client.machines.set_autostart(key, {"enabled": autostart})
        NOUN.show(changed or client.machines.get(key), output)


@app.command("console-log")
def console_log(
    context: typer.Context,
    key: Key,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Continue with new output until Ctrl-C.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show the end of a machine's serial console.

    Example: `hostloom machine console-log web1 --follow`
    """
    if follow and output is not Format.TABLE:
        raise fail("--follow prints plain text and cannot be combined with JSON or YAML", code=Exit.USAGE)
    with open_client(context) as client:
        for text in new_text(client, key) if follow else ():
            typer.echo(text, nl=False)
            sys.stdout.flush()
        log = client.machines.get_console_log(key)
    if output is Format.TABLE:
        typer.echo(log["log"], nl=not log["log"].endswith("\n"))
    else:
        show_data(log, output)
