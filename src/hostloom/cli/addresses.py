"""`hostloom address`."""

from enum import StrEnum
from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, Yes, confirm, given, make_app
from hostloom.cli.listing import lists
from hostloom.cli.output import Format, Output, show_done, when
from hostloom.cli.session import open_client
from hostloom.client import answers, keys


class AddressKindChoice(StrEnum):
    """Why an address is in use."""

    AUTO = "auto"
    STATIC = "static"
    OBSERVED = "observed"
    RESERVED = "reserved"
    LEASE = "lease"
    ON_WIRE = "on-wire"


NOUN = NounCommands[answers.Address, keys.AddressKey](
    "address",
    "IP address.",
    lambda client: client.addresses,
    (
        Column("ADDRESS", "ip"),
        Column("KIND", "kind"),
        Column("SUBNET", "subnet"),
        Column("NODE", "node"),
        Column("INTERFACE", "interface"),
        Column("COMMENT", "comment", text=True, rank=1),
        Column("UNTIL", lambda item: when(item["until"]) if item["until"] else "", rank=2),
    ),
    empty="no address is in use here: `hostloom address reserve IP` reserves one",
    example="10.0.0.9",
)

app = make_app(NOUN)

InSubnet = Annotated[str | None, typer.Option(help="Subnet, by CIDR, id or name.")]
Ip = Annotated[str, typer.Argument(metavar="IP", help="IP address.")]


@app.command("list")
@lists(NOUN.listing())
def list_(
    context: typer.Context,
    subnet: InSubnet = None,
    kind: Annotated[AddressKindChoice | None, typer.Option(help="Show only addresses of this kind.")] = None,
) -> list[answers.Address]:
    """List the addresses in use and their holders.

    Kind `on-wire`: an unknown device answered for the address when a machine was composed, or a machine that
    no longer owns it may still use it. hostloom does not assign it until the displayed time, or until
    `hostloom address release IP`.

    Example: `hostloom address list --subnet 10.0.0.0/24`
    """
    with open_client(context) as client:
        return client.addresses.list(**given(subnet=subnet, kind=kind))


@app.command("show")
def show(context: typer.Context, ip: Ip, subnet: InSubnet = None, output: Output = Format.TABLE) -> None:
    """Show the holder of an address.

    Example: `hostloom address show 10.0.0.9`
    """
    with open_client(context) as client:
        NOUN.show(client.addresses.get(ip, **given(subnet=subnet)), output)


@app.command("reserve")
def reserve(
    context: typer.Context,
    ip: Ip,
    subnet: InSubnet = None,
    comment: Annotated[str, typer.Option(help="What the address is reserved for.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Reserve an address, so that hostloom assigns it to no machine.

    Example: `hostloom address reserve 10.0.0.9 --comment printer`
    """
    with open_client(context) as client:
        address = client.addresses.create({"ip": ip, "comment": comment} | given(subnet=subnet))
    show_done(f"address {address['ip']} of {address['subnet']} reserved", address, output)


@app.command("release")
def release(
    context: typer.Context,
    ip: Ip,
    subnet: InSubnet = None,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Release a reserved address, or delete the record that an address was in use on the wire.

    Addresses of machines are released together with their machines.

    Example: `hostloom address release 10.0.0.9 --yes`
    """
    confirm(f"Release address {ip}?", yes=yes)
    with open_client(context) as client:
        client.addresses.delete(ip, **given(subnet=subnet))
    show_done(f"address {ip} released", {"released": ip}, output)
