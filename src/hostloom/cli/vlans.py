"""`hostloom vlan`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.exits import Exit, fail
from hostloom.cli.nouns import Noun, Yes, add_delete, add_list, add_show, given, make_app
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.cli.vlan_dhcp import confirm_change
from hostloom.cli.vlan_probe import probe_and_show
from hostloom.client import Document

Key = Annotated[str, typer.Argument(metavar="FABRIC/VID", help="A VLAN by FABRIC/VID, id or name.")]


def _dhcp(item: Document) -> str:
    return f"relay via {item['relay']}" if item["dhcp"] == "relay" else str(item["dhcp"])


NOUN = Noun(
    "vlan",
    "A VLAN by FABRIC/VID, id or name.",
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
    empty="no VLANs yet: `hostloom fabric create NAME` makes a fabric with its untagged one",
    example="fabric-0/20",
)

app = make_app(NOUN)


@app.command("create")
def create(
    context: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="FABRIC/VID", help="The fabric, and the 802.1Q tag (1-4094).")
    ],
    name: Annotated[str | None, typer.Option(help="Its name; default vlan-VID.")] = None,
    space: Annotated[str | None, typer.Option(help="A space by name or id.")] = None,
    mtu: Annotated[int | None, typer.Option(help="Its MTU; default 1500.")] = None,
    description: Annotated[str | None, typer.Option(help="For people.")] = None,
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
        made = client.vlans.create(body | given(name=name, space=space, mtu=mtu, description=description))
    show_done(f"vlan {made['key']} created (id {made['id']})", made, output)


add_list(app, NOUN)
add_show(app, NOUN)


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    vid: Annotated[int | None, typer.Option(help="Another tag.")] = None,
    space: Annotated[str | None, typer.Option(help="A space by name or id; '' takes it out.")] = None,
    mtu: Annotated[int | None, typer.Option(help="Its MTU.")] = None,
    description: Annotated[str | None, typer.Option(help="For people.")] = None,
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
        typer.Argument(metavar="[FABRIC/VID]", help="A VLAN by FABRIC/VID, id or name.", show_default=False),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every VLAN that our DHCP serves.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Show what the last probe found.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Ask a VLAN who serves DHCP there: whether we answer, and who else does.

    A throw-away client asks beside a rack's or a host's interface on the VLAN, and takes nothing.

    Examples:

    - `hostloom vlan probe fabric-0/20`
    - `hostloom vlan probe --all`
    """
    if (key is None) is not all_:
        raise fail("name a VLAN, or say --all", "for example fabric-0/20", Exit.USAGE)
    probe_and_show(context, key, output, last=last)


dhcp = typer.Typer(help="Who answers DHCP on a VLAN.", no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(dhcp, name="dhcp")


@dhcp.command("on")
def dhcp_on(
    context: typer.Context,
    key: Key,
    primary: Annotated[str | None, typer.Option(metavar="RACK", help="The rack that serves it.")] = None,
    secondary: Annotated[
        str | None, typer.Option(metavar="RACK", help="The rack that stands by, and takes over.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Serve a VLAN with our DHCP: machines can boot from the network there.

    Leases are given from the dynamic ranges of its subnets; without one, only reserved addresses are
    answered, which is all that composed machines need. Without `--primary` hostloom takes the first rack with
    an interface on the VLAN. A rack has one partner: every VLAN of either names the same pair.

    Example: `hostloom vlan dhcp on fabric-0/0 --primary rack1 --secondary rack2`
    """
    _set(context, key, {"mode": "on"} | given(primary=primary, secondary=secondary), output)


@dhcp.command("off")
def dhcp_off(context: typer.Context, key: Key, yes: Yes = False, output: Output = Format.TABLE) -> None:
    """Stop serving a VLAN; shows who is affected, and asks. Refused while it serves others by relay.

    Example: `hostloom vlan dhcp off fabric-0/0`
    """
    with open_client(context) as client:
        confirm_change(client, key, "Stop serving DHCP there?", yes=yes)
    _set(context, key, {"mode": "off"}, output)


@dhcp.command("relay")
def dhcp_relay(
    context: typer.Context,
    key: Key,
    via: Annotated[str, typer.Option(metavar="FABRIC/VID", help="The VLAN whose rack answers.")],
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Serve a VLAN through another one: a relay on it forwards to that one's rack.

    Where the VLAN is served already, the command shows who is affected, and asks.

    Example: `hostloom vlan dhcp relay fabric-0/20 --via fabric-0/0`
    """
    with open_client(context) as client:
        confirm_change(client, key, f"Answer DHCP there only through a relay to VLAN {via}?", yes=yes)
    _set(context, key, {"mode": "relay", "relay": via}, output)


def _set(context: typer.Context, key: str, body: Document, output: Format) -> None:
    with open_client(context) as client:
        changed = client.vlans.act(key, "dhcp", body, method="PUT")
    show_done(f"vlan {changed['key']}: DHCP {_dhcp(changed)}", changed, output)
