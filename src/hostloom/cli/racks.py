"""`hostloom rack`."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, given, make_app
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.listing import Listing, lists
from hostloom.cli.output import Format, Output, show_data, show_done, show_one
from hostloom.cli.session import open_client
from hostloom.cli.ssh_keys import create_trusting
from hostloom.client import Client, answers, keys

Key = Annotated[str, typer.Argument(metavar="NAME", help="Rack, by name or id.")]
Control = Annotated[
    str,
    typer.Option(
        metavar="CHANNEL",
        help="Control channel of Kea's DHCPv4 server: unix:/PATH, ssh://USER@HOST/PATH (a socket there) or "
        "http(s)://HOST:PORT/ (its control agent).",
    ),
]


class _Answering(answers.Rack, answers.RackStatus):
    """A rack with the status of its server; `leases` is null if the server does not answer."""

    leases: int | None


_AnsweringKey = keys.RackKey | keys.RackStatusKey | Literal["leases"]


def _uptime(item: _Answering) -> str:
    return ", ".join(f"v{version} {seconds / 60:.0f} min" for version, seconds in item["uptimes_s"].items())


def _versions(item: _Answering) -> str:
    return ", ".join(f"v{version} Kea {text}" for version, text in item["versions"].items())


def _state(item: _Answering) -> str:
    return item["trouble"] or "answers"


def _pair(item: _Answering) -> str:
    if not item["ha_state"]:
        return "serves alone"
    return f"{item['ha_state']}, its partner {item['ha_partner_state'] or 'unknown'}"


NOUN = NounCommands[answers.Rack, keys.RackKey](
    "rack",
    "Rack, by name or id.",
    lambda client: client.racks,
    (
        Column("ID", "id", right=True, rank=4),
        Column("NAME", "name"),
        Column("NODE", "node", rank=2),
        Column("CONTROL", "control", rank=1),
        Column("SERVES", "vlans"),
        Column("STANDS BY", "standby_vlans", rank=3),
    ),
    (
        Column("NAME", "name"),
        Column("ID", "id"),
        Column("NODE", "node"),
        Column("CONTROL", "control"),
        Column("CONTROL6", "control6"),
        Column("SERVES", "vlans"),
        Column("STANDS BY", "standby_vlans"),
        Column("DESCRIPTION", "description"),
    ),
    empty="no racks: set `kea_embedded` or `kea_socket` on the server, or add one with `hostloom rack add`",
    example="rack1",
)
_LINES: Columns[_Answering, _AnsweringKey] = (
    Column("NAME", "name"),
    Column("ID", "id"),
    Column("NODE", "node"),
    Column("CONTROL", "control"),
    Column("CONTROL6", "control6"),
    Column("STATE", _state),
    Column("SOFTWARE", _versions),
    Column("UP FOR", _uptime),
    Column("PAIR", _pair),
    Column("SERVES", "vlans"),
    Column("STANDS BY", "standby_vlans"),
    Column("LEASES", "leases"),
    Column("DESCRIPTION", "description"),
)

app = make_app(NOUN)


@app.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the rack.")],
    control: Control,
    node: Annotated[
        str | None,
        typer.Option(help="Node of the rack, by hostname or system id; not needed with SSH."),
    ] = None,
    accept_key: Annotated[
        str | None,
        typer.Option(metavar="SHA256:…", help="Expected fingerprint of the host's SSH key, for scripts."),
    ] = None,
    control6: Annotated[str, typer.Option(help="Control channel of the rack's DHCPv6 server.")] = "",
    description: Annotated[str, typer.Option(help="Free-text description.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Add a rack whose Kea answers. hostloom then replaces Kea's whole configuration.

    The password of an agent's user (`http://USER@HOST:8000/`) is read from `rack-passwords/NAME` in the
    server's state directory, which only the server can read.

    Example: `hostloom rack add rack2 --control ssh://root@10.0.0.3/run/kea/kea4-ctrl-socket`
    """
    body = {"name": name, "control": control, "control6": control6, "description": description}
    body |= given(node=node, accept_key=accept_key)
    with open_client(context) as client:
        rack = create_trusting(client.racks.create, body)
    show_done(f"rack {rack['name']} added (id {rack['id']})", rack, output)


add_list(app, NOUN)


@app.command("show")
def show(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show a rack and the present status of its DHCP server.

    Example: `hostloom rack show rack1`
    """
    with open_client(context) as client:
        rack, status = client.racks.get(key), client.racks.get_status(key)
        leases = None if status["trouble"] else len(client.racks.get_leases(key)["items"])
    answering: _Answering = {**rack, **status, "leases": leases}
    show_one(answering, _LINES, output)


@app.command("config")
def config(context: typer.Context, key: Key, output: Output = Format.JSON) -> None:
    """Print the running configuration of the rack's DHCP server, as JSON or YAML.

    Example: `hostloom rack config rack1 > kea.json`
    """
    with open_client(context) as client:
        show_data(client.racks.get_config(key), output)


LEASES: Columns[answers.Lease, keys.LeaseKey] = (
    Column("ADDRESS", "ip"),
    Column("MAC", "mac", rank=1),
    Column("HOSTNAME", "hostname", rank=3),
    Column("MACHINE", "machine"),
    Column("NIC", "nic", rank=2),
    Column("SUBNET", "subnet", rank=4),
    Column(
        "UNTIL",
        lambda item: f"{datetime.fromtimestamp(item['expires_at'], UTC):%H:%M:%S}Z",
        field="expires_at",
    ),
)


@app.command("leases")
@lists(Listing(LEASES, "no leases: no client has asked yet, or no VLAN is served", by="ADDRESS"))
def leases(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Rack, by name or id; not needed if there is only one."),
    ] = None,
) -> list[answers.Lease]:
    """List the leases of a rack and who has them.

    Example: `hostloom rack leases rack1`
    """
    with open_client(context) as client:
        return client.racks.get_leases(key or _only_rack(client))["items"]


def _only_rack(client: Client) -> str:
    names = [str(rack["name"]) for rack in client.racks.list()]
    if len(names) != 1:
        hint = f"the racks are: {', '.join(names)}" if names else NOUN.empty
        raise fail("no rack is named", hint, Exit.USAGE)
    return names[0]


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    node: Annotated[str | None, typer.Option(help="New node.")] = None,
    control: Annotated[str | None, typer.Option(help="New control channel; it must answer.")] = None,
    control6: Annotated[
        str | None, typer.Option(help="New control channel of the DHCPv6 server; '' removes it.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a rack.

    Example: `hostloom rack update rack2 --control http://10.0.0.3:8000/`
    """
    changes = given(name=name, node=node, control=control, control6=control6, description=description)
    with open_client(context) as client:
        changed = client.racks.update(key, changes)
    show_done(f"rack {changed['name']} changed", changed, output)


add_delete(app, NOUN, "Its DHCP server keeps its current configuration.")
