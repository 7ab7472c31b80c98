"""`hostloom host networks` and `hostloom host fix-network`."""

from typing import Annotated, Literal, cast

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import Yes, confirm, given
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.follow import Wait, finish
from hostloom.cli.hosts import Key, app, unconstrained
from hostloom.cli.output import Format, Output, say, show, show_data, show_done, show_text, table, when
from hostloom.cli.session import open_client
from hostloom.client import answers, keys

COLUMNS: Columns[answers.HostNetwork, keys.HostNetworkKey] = (
    Column("NAME", "name"),
    Column("BRIDGE", "bridge"),
    Column("FORWARD", "forward", rank=3),
    Column("ACTIVE", "active", rank=1),
    Column("LIBVIRT DHCP", "dhcp", rank=2),
    Column("VLAN", "vlan"),
    Column("SERVED", "served"),
    Column("CONNECTED", lambda item: "no" if item["isolated"] else "yes", rank=4),
    Column("FAILS", lambda item: [reason["code"] for reason in item["fails"]]),
    Column("TAKEN", "taken"),
)
LOSING: Columns[answers.Losing, keys.LosingKey] = (
    Column("MACHINE", lambda item: item["machine"] or item["hostname"] or "(not known)"),
    Column("ORIGIN", "origin"),
    Column("MAC", "mac"),
    Column("LEASE", "ip"),
    Column("UNTIL", lambda item: when(item["expires_at"]) if item["expires_at"] else ""),
)
#: Fields of a step that are sent back to the server.
_STEP: tuple[Literal["kind", "subject", "value"], ...] = ("kind", "subject", "value")


@app.command("networks")
def networks(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show a host's libvirt networks, and why a machine without interface constraints could not use them.

    Example: `hostloom host networks kvm1`
    """
    with open_client(context) as client:
        document = client.hosts.get_networks(key)
    if output is not Format.TABLE:
        show_data(document, output)
        return
    if document["networks"]:
        show(table(document["networks"], COLUMNS))
    sentences = [line for network in document["networks"] for line in network["text"]]
    show_text(*sentences, unconstrained(document))
    if not document["networks"]:
        say(f"no libvirt networks: `hostloom host fix-network {key}` creates one on a served bridge")


NetworkName = Annotated[
    str | None,
    typer.Argument(
        metavar="NETWORK", help="libvirt network; default: the network that hostloom would use first."
    ),
]
MakeMaas = Annotated[
    str | None,
    typer.Option("--make-maas", metavar="BRIDGE", help="Create a network `maas` on this bridge instead."),
]


@app.command("fix-network")
def fix_network(
    context: typer.Context,
    key: Key,
    network: NetworkName = None,
    make_maas: MakeMaas = None,
    yes: Yes = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Let our DHCP answer on a host's libvirt network; the command shows the steps before it asks.

    The fix turns libvirt's own DHCP off and serves the VLAN, or creates a network `maas` on a served bridge.

    Examples:

    - `hostloom host fix-network kvm1`
    - `hostloom host fix-network kvm1 default --yes`
    - `hostloom host fix-network kvm1 --make-maas br0`
    """
    body = given(network=network, make_maas=make_maas)
    with open_client(context) as client:
        fix = cast("answers.Fix", client.hosts.fix_network(key, body | {"preview": True}))
        if not fix["steps"]:
            raise _refused(fix, output)
        _tell(fix)
        confirm(f"Make these changes on host {fix['host']}?", yes=yes)
        steps = [{name: step[name] for name in _STEP} for step in fix["steps"]]
        operation = cast("answers.Operation", client.hosts.fix_network(key, body | {"steps": steps}))
        finish(client, operation, output, wait=wait)
        now = client.hosts.get_networks(key)
    show_done(f"network {fix['network']} of host {fix['host']} needs no changes", now, output)
    if output is Format.TABLE:
        typer.echo(unconstrained(now))


def _tell(fix: answers.Fix) -> None:
    """Print the steps and the affected machines to stderr, so that programs read only the answer."""
    for line in fix["text"]:
        say(f"- {line}")
    if fix["losing"]:
        say("these lose libvirt's DHCP:")
        for machine in fix["losing"]:
            say("  " + "  ".join(filter(None, (column.of(machine) for column in LOSING))))
    if fix["leases_unread"]:
        say(f"libvirt's leases could not be read: {fix['leases_unread']}")


def _refused(fix: answers.Fix, output: Format) -> typer.Exit:
    """Report a refusal; if there is nothing to fix, the command succeeds."""
    if output is not Format.TABLE:
        show_data(fix, output)
    if [refusal["code"] for refusal in fix["refusals"]] == ["nothing-to-fix"]:
        say(fix["text"][0])
        return typer.Exit(Exit.OK)
    reasons = "; ".join(refusal["text"] for refusal in fix["refusals"])
    hint = f"`{fix['offer']}` creates a network maas on a served VLAN instead" if fix["offer"] else ""
    return fail(reasons, hint, Exit.REFUSED)
