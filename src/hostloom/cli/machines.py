"""`hostloom machine`."""

from typing import Annotated

import typer
from rich.table import Table

from hostloom.cli import requests
from hostloom.cli.exits import Exit, exit_of_refusal, fail, tell
from hostloom.cli.follow import finish
from hostloom.cli.hosts import Wait
from hostloom.cli.nodes import Tags, tags_of
from hostloom.cli.nouns import Noun, Yes, add_show, confirm, given, make_app
from hostloom.cli.output import (
    Column,
    Format,
    Output,
    memory,
    say,
    show_data,
    show_done,
    show_list,
    show_one,
    size,
    table,
)
from hostloom.cli.session import open_client
from hostloom.client import Client, Document


def _attached(item: Document) -> str:
    mode = f" ({item['macvlan_mode']})" if item["macvlan_mode"] else ""
    return f"{'ovs ' if item['ovs'] else ''}{item['attach']} {item['source']}{mode}"


def _addresses(item: Document) -> str:
    return ", ".join(item["ips"]) or str(item["mode"])


NICS = (
    Column("NAME", "name"),
    Column("ATTACHED TO", _attached),
    Column("VLAN", "vlan"),
    Column("ADDRESS", _addresses),
    Column("MAC", "mac"),
    Column("BOOT", lambda item: "yes" if item["boot"] else None),
)
DISKS = (
    Column("NAME", "name"),
    Column("SIZE", lambda item: size(item["size_bytes"]), right=True),
    Column("POOL", "pool"),
    Column("FORMAT", "format"),
    Column("VOLUME", "volume"),
)


def _parts(item: Document) -> list[tuple[str, Table | str]]:
    return [("interfaces", table(item["interfaces"], NICS)), ("disks", table(item["disks"], DISKS))]


NOUN = Noun(
    "machine",
    "A machine by hostname or system id.",
    lambda client: client.machines,
    (
        Column("HOSTNAME", "hostname"),
        Column("HOST", "host"),
        Column("STATE", "state"),
        Column("POWER", "power"),
        Column("CORES", "cores", right=True),
        Column("MEMORY", lambda item: memory(item["memory_mib"]), right=True),
        Column("ADDRESSES", lambda item: [ip for nic in item["interfaces"] for ip in nic["ips"]]),
        Column("ORIGIN", "origin"),
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
        Column("ZONE", "zone"),
        Column("RESOURCE POOL", "resource_pool"),
        Column("TAGS", "tags"),
        Column("OWNER", "owner"),
    ),
    parts=_parts,
    empty="no machines yet: `hostloom machine compose` makes one, `hostloom machine plan` shows it first",
    example="vm1",
)
PLAN = (
    Column("MACHINE", "hostname"),
    Column("HOST", "host"),
    Column("ARCHITECTURE", "architecture"),
    Column("CORES", "cores"),
    Column("MEMORY", lambda item: memory(item["memory_mib"])),
    Column("NETWORK BOOT", "netboot"),
    Column("START", "start"),
)

app = make_app(NOUN, "Machines: plan, compose, look at, switch and take apart.")

Key = Annotated[str, typer.Argument(metavar="MACHINE", help=NOUN.key)]


@app.command("plan")
def plan(
    context: typer.Context,
    host: requests.Host = None,
    interfaces: requests.Interfaces = "",
    storage: requests.Storage = "",
    cores: requests.Cores = 1,
    memory: requests.Memory = "2G",
    architecture: requests.Architecture = None,
    name: requests.Name = None,
    netboot: requests.Netboot = True,
    start: requests.Start = True,
    zone: requests.Zone = None,
    resource_pool: requests.Pool = None,
    tag: requests.Tag = None,
    qcow2: requests.Qcow2 = False,
    explain: requests.Explain = False,
    output: Output = Format.TABLE,
) -> None:
    """Show what compose would do, and what it warns of; nothing is held.

    Examples:

    - `hostloom machine plan --interfaces 'eth0:space=dmz'`
    - `hostloom machine plan --interfaces 'eth0:space=dmz;eth1:vid=20,macvlan_mode=private' --explain`
    """
    request = requests.request_of(
        host=host,
        interfaces=interfaces,
        storage=storage,
        cores=cores,
        memory=memory,
        architecture=architecture,
        name=name,
        netboot=netboot,
        start=start,
        zone=zone,
        resource_pool=resource_pool,
        tag=tag,
        qcow2=qcow2,
    )
    with open_client(context) as client:
        decision = client.plan(request)
    _show_decision(decision, output, explain=explain)


@app.command("compose")
def compose(
    context: typer.Context,
    host: requests.Host = None,
    interfaces: requests.Interfaces = "",
    storage: requests.Storage = "",
    cores: requests.Cores = 1,
    memory: requests.Memory = "2G",
    architecture: requests.Architecture = None,
    name: requests.Name = None,
    netboot: requests.Netboot = True,
    start: requests.Start = True,
    zone: requests.Zone = None,
    resource_pool: requests.Pool = None,
    tag: requests.Tag = None,
    qcow2: requests.Qcow2 = False,
    explain: requests.Explain = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Compose a machine: choose a host, attach its NICs, reserve its addresses, make and start it.

    Examples:

    - `hostloom machine compose --name web1 --interfaces 'eth0:space=dmz' --cores 2 --memory 4G`
    - `hostloom machine compose --host kvm1 --interfaces 'eth0:vid=20,ip=10.0.20.9' --storage root:20`
    """
    request = requests.request_of(
        host=host,
        interfaces=interfaces,
        storage=storage,
        cores=cores,
        memory=memory,
        architecture=architecture,
        name=name,
        netboot=netboot,
        start=start,
        zone=zone,
        resource_pool=resource_pool,
        tag=tag,
        qcow2=qcow2,
    )
    with open_client(context) as client:
        operation = finish(client, client.machines.create(request), output, wait=wait)
        made = client.machines.get(operation["subject"].removeprefix("machine "))
        show_done(_composed(made), made, output)
        if explain and output is Format.TABLE:
            _show_why(client, made["hostname"])


def _composed(machine: Document) -> str:
    nics = "; ".join(f"{nic['name']} {_addresses(nic)} by {_attached(nic)}" for nic in machine["interfaces"])
    return f"machine {machine['hostname']} is {machine['state']} on host {machine['host']}: {nics}"


def _show_decision(decision: Document, output: Format, *, explain: bool) -> None:
    plan = decision["plan"]
    if output is not Format.TABLE:
        show_data(decision, output)
    elif plan is not None:
        reasons = [("why", "\n".join(decision["text"]))] if explain else []
        show_one(plan, PLAN, output, [*_parts(plan), *reasons])
        for warning in [] if explain else plan["warnings"]:
            say(f"warning: {warning['text']}")
    if plan is None:
        code = decision["explanation"]["refusal"]["code"]
        if output is Format.TABLE:
            lines = decision["text"]
            tell(lines[0].removeprefix("refused: "), "" if explain else "--explain shows why")
            for line in lines[1:] if explain else []:
                say(line)
        raise typer.Exit(exit_of_refusal(code))


@app.command("list")
def list_(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Only those on this host.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List machines.

    Example: `hostloom machine list --host kvm1`
    """
    with open_client(context) as client:
        show_list(client.machines.list(**given(host=host)), NOUN.columns, output, NOUN.empty)


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


def _show_why(client: Client, key: str) -> None:
    typer.echo("\n".join(client.machines.ask(key, "why")["text"]))
