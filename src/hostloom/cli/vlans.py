"""`hostloom vlan`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, Yes, add_delete, add_list, add_show, given, make_app
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.cli.vlan_dhcp import confirm_change
from hostloom.cli.vlan_probe import probe_and_show
from hostloom.client import Document, answers, keys

Key = Annotated[str, typer.Argument(metavar="FABRIC/VID", help="VLAN, by FABRIC/VID, id or name.")]


def _dhcp(item: answers.Vlan) -> str:
    return f"relay via {item['relay']}" if item["dhcp"] == "relay" else str(item["dhcp"])


NOUN = NounCommands[answers.Vlan, keys.VlanKey](
    "vlan",
    "VLAN, by FABRIC/VID, id or name.",
    lambda client: client.vlans,
    (
        Column("ID", "id", right=True, rank=4),
        Column("VLAN", "key"),
        Column("NAME", "name", rank=1),
        Column("SPACE", "space", rank=2),
        Column("DHCP", _dhcp, field="dhcp"),
        Column("OTHERS' DHCP", "foreign_dhcp", rank=3),
        Column("MTU", "mtu", right=True, rank=5),
    ),
    (
        Column("VLAN", "key"),
        Column("ID", "id"),
        Column("NAME", "name"),
        Column("SPACE", "space"),
        Column("DHCP", _dhcp),
        Column("BOOTABLE", "bootable"),
        Column("OTHERS' DHCP", "foreign_dhcp"),
        Column("RACKS", "racks"),
        Column("MTU", "mtu"),
        Column("DESCRIPTION", "description"),
    ),
    empty="no VLANs yet: `hostloom fabric create NAME` creates a fabric with its untagged VLAN",
    example="fabric-0/20",
)

app = make_app(NOUN)


@app.command("create")
def create(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="FABRIC/VID", help="Fabric and 802.1Q tag (1-4094).")],
    name: Annotated[str | None, typer.Option(help="Name; default: vlan-VID.")] = None,
    space: Annotated[str | None, typer.Option(help="Space, by name or id.")] = None,
    mtu: Annotated[int | None, typer.Option(help="MTU; default 1500.")] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Create a tagged VLAN.

    Example: `hostloom vlan create fabric-0/20 --name dmz --space dmz`
    """
    fabric, _, vid = key.rpartition("/")
    if not fabric or not (vid.isascii() and vid.isdigit()):
        raise fail(f"{key!r} is not FABRIC/VID", "for example fabric-0/20", Exit.USAGE)
    body = {"fabric": fabric, "vid": int(vid)}
    with open_client(context) as client:
        vlan = client.vlans.create(body | given(name=name, space=space, mtu=mtu, description=description))
    show_done(f"vlan {vlan['key']} created (id {vlan['id']})", vlan, output)


add_list(app, NOUN)
add_show(app, NOUN)


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    vid: Annotated[int | None, typer.Option(help="New 802.1Q tag.")] = None,
    space: Annotated[
        str | None, typer.Option(help="Space, by name or id; '' removes the VLAN from its space.")
    ] = None,
    mtu: Annotated[int | None, typer.Option(help="MTU.")] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a VLAN.

    Example: `hostloom vlan update fabric-0/20 --space dmz --mtu 9000`
    """
    changes = given(name=name, vid=vid, mtu=mtu, description=description)
    if space is not None:
        changes["space"] = space or None
    with open_client(context) as client:
        NOUN.show(client.vlans.update(key, changes), output)


add_delete(app, NOUN)


@app.command("probe")
def probe(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Argument(metavar="[FABRIC/VID]", help="VLAN, by FABRIC/VID, id or name.", show_default=False),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Probe every VLAN that our DHCP serves.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Show the result of the last probe.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Find out which DHCP servers answer on a VLAN, ours and others.

    A temporary client sends requests next to a rack's or host's interface, and takes no lease.

    Examples:

    - `hostloom vlan probe fabric-0/20`
    - `hostloom vlan probe --all`
    """
    if (key is None) is not all_:
        raise fail("name a VLAN, or use --all", "for example fabric-0/20", Exit.USAGE)
    probe_and_show(context, key, output, last=last)


dhcp = typer.Typer(help="DHCP on a VLAN.", no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(dhcp, name="dhcp")


@dhcp.command("on")
def dhcp_on(
    context: typer.Context,
    key: Key,
    primary: Annotated[str | None, typer.Option(metavar="RACK", help="Rack that serves the VLAN.")] = None,
    secondary: Annotated[
        str | None,
        typer.Option(metavar="RACK", help="Standby rack, which takes over when the primary fails."),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Serve a VLAN with our DHCP, so that machines can boot from the network on it.

    Leases come from the dynamic ranges of the VLAN's subnets. Without a dynamic range, only reserved
    addresses are given out, which is enough for composed machines. Without `--primary`, hostloom uses the
    first rack with an interface on the VLAN. A rack has one partner: all VLANs of both racks must use the
    same pair.

    Example: `hostloom vlan dhcp on fabric-0/0 --primary rack1 --secondary rack2`
    """
    _set(context, key, {"mode": "on"} | given(primary=primary, secondary=secondary), output)


@dhcp.command("off")
def dhcp_off(context: typer.Context, key: Key, yes: Yes = False, output: Output = Format.TABLE) -> None:
    """Stop serving a VLAN. The command shows what is affected and asks. It is refused while other VLANs are
    served through this one.

    Example: `hostloom vlan dhcp off fabric-0/0`
    """
    with open_client(context) as client:
        confirm_change(client, key, "Stop serving DHCP there?", yes=yes)
    _set(context, key, {"mode": "off"}, output)


@dhcp.command("relay")
def dhcp_relay(
    context: typer.Context,
    key: Key,
    via: Annotated[
        str, typer.Option(metavar="FABRIC/VID", help="Relay VLAN, which the rack serves directly.")
    ],
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Serve a VLAN through another one, to whose rack a relay on this VLAN forwards.

    If the VLAN is already served, the command shows what is affected and asks.

    Example: `hostloom vlan dhcp relay fabric-0/20 --via fabric-0/0`
    """
    with open_client(context) as client:
        confirm_change(client, key, f"Answer DHCP there only through a relay to VLAN {via}?", yes=yes)
    _set(context, key, {"mode": "relay", "relay": via}, output)


def _set(context: typer.Context, key: str, body: Document, output: Format) -> None:
    with open_client(context) as client:
        changed = client.vlans.set_dhcp(key, body)
    show_done(f"vlan {changed['key']}: DHCP {_dhcp(changed)}", changed, output)
