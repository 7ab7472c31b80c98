"""`hostloom subnet`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, given, make_app
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.client import answers, keys

NOUN = NounCommands[answers.Subnet, keys.SubnetKey](
    "subnet",
    "Subnet, by CIDR, id or name.",
    lambda client: client.subnets,
    (
        Column("ID", "id", right=True, rank=4),
        Column("CIDR", "cidr"),
        Column("NAME", lambda item: None if item["name"] == item["cidr"] else item["name"], rank=2),
        Column("VLAN", "vlan"),
        Column("SPACE", "space", rank=1),
        Column("GATEWAY", "gateway", rank=3),
    ),
    (
        Column("CIDR", "cidr"),
        Column("ID", "id"),
        Column("NAME", "name"),
        Column("VLAN", "vlan"),
        Column("SPACE", "space"),
        Column("GATEWAY", "gateway"),
        Column("DNS", "dns_servers"),
        Column("NTP", "ntp_servers"),
        Column("LEASE TIME (s)", "lease_time_s"),
        Column("MANAGED", "managed"),
        Column("DESCRIPTION", "description"),
    ),
    empty="no subnets yet: `hostloom subnet create CIDR --vlan FABRIC/VID` creates one",
    example="10.0.0.0/24",
)

app = make_app(NOUN)

Dns = Annotated[list[str] | None, typer.Option("--dns", help="DNS server; may be repeated.")]
Ntp = Annotated[list[str] | None, typer.Option("--ntp", help="NTP server; may be repeated.")]


@app.command("create")
def create(
    context: typer.Context,
    cidr: Annotated[str, typer.Argument(help="CIDR of the subnet, without host bits.")],
    vlan: Annotated[str, typer.Option(metavar="FABRIC/VID", help="VLAN of the subnet.")],
    name: Annotated[str | None, typer.Option(help="Name; default: the CIDR.")] = None,
    gateway: Annotated[
        str | None, typer.Option(help="Gateway: an address of the subnet, or an IPv6 link-local address.")
    ] = None,
    dns: Dns = None,
    ntp: Ntp = None,
    lease_time: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Lease time of DHCP in seconds; default 600.")
    ] = None,
    managed: Annotated[
        bool,
        typer.Option(
            "--managed/--unmanaged",
            help="In an unmanaged subnet, hostloom allocates from reserved ranges only.",
        ),
    ] = True,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Create a subnet.

    Example: `hostloom subnet create 10.0.20.0/24 --vlan fabric-0/20 --gateway 10.0.20.1`
    """
    servers = {"dns_servers": dns or [], "ntp_servers": ntp or []}
    body = {"cidr": cidr, "vlan": vlan, "managed": managed} | servers | given(lease_time_s=lease_time)
    with open_client(context) as client:
        subnet = client.subnets.create(body | given(name=name, gateway=gateway, description=description))
    show_done(f"subnet {subnet['cidr']} created on vlan {subnet['vlan']} (id {subnet['id']})", subnet, output)


add_list(app, NOUN)
add_show(app, NOUN)


@app.command("update")
def update(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="CIDR", help=NOUN.key)],
    vlan: Annotated[str | None, typer.Option(metavar="FABRIC/VID", help="New VLAN.")] = None,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    gateway: Annotated[str | None, typer.Option(help="Gateway; '' removes it.")] = None,
    dns: Dns = None,
    ntp: Ntp = None,
    lease_time: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="Lease time of DHCP in seconds; 0 restores the default of 600."),
    ] = None,
    managed: Annotated[
        bool | None,
        typer.Option("--managed/--unmanaged", help="Whether hostloom may allocate from the whole subnet."),
    ] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a subnet; its CIDR cannot change.

    Example: `hostloom subnet update 10.0.20.0/24 --gateway 10.0.20.254 --dns 10.0.0.2`
    """
    changes = given(vlan=vlan, name=name, managed=managed, description=description)
    if gateway is not None:
        changes["gateway"] = gateway or None
    if ntp:
        changes["ntp_servers"] = [server for server in ntp if server]
    if lease_time is not None:
        changes["lease_time_s"] = lease_time or None
    if dns:
        changes["dns_servers"] = [server for server in dns if server]
    with open_client(context) as client:
        NOUN.show(client.subnets.update(key, changes), output)


add_delete(app, NOUN, "Its ranges are deleted with it.")
