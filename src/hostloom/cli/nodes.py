"""`hostloom node`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, given, make_app
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.listing import Listing, lists
from hostloom.cli.output import Format, Output, show_done, show_list, table, when
from hostloom.cli.session import open_client
from hostloom.cli.tags import AddTags, NewTags, RemoveTags, TagEdit, Tags, tags_of
from hostloom.client import answers, keys


def _state(item: answers.Interface) -> str:
    if not item["enabled"]:
        return "disabled"
    return "up" if item["link"] else "no link"


def _kind(item: answers.Interface) -> str:
    kind = str(item["kind"])
    of = f" of {', '.join(item['parents'])}" if item["parents"] else ""
    role = "" if item["role"] == "ordinary" else f", {item['role']}"
    member = f", member of {item['master']}" if item["master"] else ""
    return ("ovs " if item["bridge_kind"] == "ovs" else "") + kind + of + role + member


def _vlan(item: answers.Interface) -> str:
    if item["vlan"] is None:
        return "none (operator)" if item["vlan_source"] == "operator" else "-"
    return f"{item['vlan']} ({item['vlan_source']})"


INTERFACES: Columns[answers.Interface, keys.InterfaceKey] = (
    Column("ID", "id", right=True, rank=3),
    Column("NAME", "name"),
    Column("KIND", _kind, field="kind"),
    Column("STATE", _state),
    Column("VLAN", _vlan, field="vlan"),
    Column("ADDRESSES", "addresses"),
    Column("MAC", "mac", rank=1),
    Column("TAGS", "tags", rank=2),
)

NOUN = NounCommands[answers.Node, keys.NodeKey](
    "node",
    "A node by hostname or system id.",
    lambda client: client.nodes,
    (
        Column("SYSTEM ID", "system_id", rank=3),
        Column("HOSTNAME", "hostname"),
        Column("KIND", "kind"),
        Column("HOSTS", "hosts"),
        Column("INTERFACES", lambda item: len(item["interfaces"]), right=True, rank=4),
        Column("ZONE", "zone", rank=2),
        Column("TAGS", "tags", rank=1),
    ),
    (
        Column("HOSTNAME", "hostname"),
        Column("SYSTEM ID", "system_id"),
        Column("KIND", "kind"),
        Column("HOSTS", "hosts"),
        Column("ZONE", "zone"),
        Column("RESOURCE POOL", "resource_pool"),
        Column("DOMAIN", "domain"),
        Column("TAGS", "tags"),
        Column("DESCRIPTION", "description"),
        Column("SCANNED", lambda item: when(item["scanned_at"])),
    ),
    parts=lambda item: [("interfaces", table(item["interfaces"], INTERFACES))],
    empty="no nodes yet: `hostloom host add NAME URI` adds a KVM host with its node",
    example="kvm1",
    by="HOSTNAME",
)

app = make_app(NOUN)
interface = typer.Typer(
    help="Interfaces of a node, and their settings.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
app.add_typer(interface, name="interface")

Key = Annotated[str, typer.Argument(metavar="NODE", help=NOUN.key)]


@app.command("create")
def create(
    context: typer.Context,
    hostname: Annotated[str, typer.Argument(help="Hostname of the device.")],
    mac: Annotated[list[str], typer.Option(help="MAC of an interface; may be repeated.")],
    vlan: Annotated[
        str | None, typer.Option(metavar="FABRIC/VID", help="VLAN of the device's interfaces.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Zone, by name or id.")] = None,
    resource_pool: Annotated[str | None, typer.Option(help="Resource pool, by name or id.")] = None,
    domain: Annotated[str | None, typer.Option(help="Domain, by name or id.")] = None,
    tag: NewTags = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Create a device: a node with NICs that hostloom does not manage.

    Example: `hostloom node create printer --mac 52:54:00:12:34:56 --vlan fabric-0/0`
    """
    options = given(
        vlan=vlan,
        zone=zone,
        resource_pool=resource_pool,
        domain=domain,
        tags=tags_of(tag),
        description=description,
    )
    with open_client(context) as client:
        node = client.nodes.create({"hostname": hostname, "macs": mac} | options)
    show_done(f"device {node['hostname']} created (system id {node['system_id']})", node, output)


add_list(app, NOUN)
add_show(app, NOUN)


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    hostname: Annotated[str | None, typer.Option(help="New name.")] = None,
    zone: Annotated[str | None, typer.Option(help="Zone, by name or id.")] = None,
    resource_pool: Annotated[str | None, typer.Option(help="Resource pool, by name or id.")] = None,
    domain: Annotated[str | None, typer.Option(help="Domain, by name or id.")] = None,
    tag: Tags = None,
    add_tag: AddTags = None,
    remove_tag: RemoveTags = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a node's name, zone, resource pool, domain and tags.

    Example: `hostloom node update kvm1 --zone east --add-tag fast`
    """
    changes = given(
        hostname=hostname,
        zone=zone,
        resource_pool=resource_pool,
        domain=domain,
        description=description,
    )
    edit = TagEdit.of(tag, add_tag, remove_tag)
    with open_client(context) as client:
        changed = edit.update(client.nodes, key, changes) or client.nodes.update(key, {})
    NOUN.show(changed, output)


add_delete(app, NOUN)


@interface.command("list")
@lists(
    Listing(
        INTERFACES, "no interfaces are known: `hostloom host refresh NAME` reads those of a host", by="NAME"
    )
)
def list_interfaces(context: typer.Context, key: Key) -> list[answers.Interface]:
    """List the interfaces of a node with their VLANs and the sources of the VLANs.

    Example: `hostloom node interface list kvm1`
    """
    with open_client(context) as client:
        return client.nodes.get(key)["interfaces"]


@interface.command("update")
def update_interface(
    context: typer.Context,
    key: Key,
    name: Annotated[str, typer.Argument(metavar="INTERFACE", help="Interface, by name or id.")],
    vlan: Annotated[
        str | None, typer.Option(metavar="FABRIC/VID", help="VLAN of the interface; `none`: unknown.")
    ] = None,
    tag: Tags = None,
    add_tag: AddTags = None,
    remove_tag: RemoveTags = None,
    enabled: Annotated[
        bool | None, typer.Option("--enabled/--disabled", help="Whether the interface is up.")
    ] = None,
    link_speed: Annotated[int | None, typer.Option(help="Speed in Mbit/s; 0: unknown.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Set what hostloom cannot detect about an interface. Refreshes keep the VLAN that you set here.

    Example: `hostloom node interface update kvm1 eth1 --vlan fabric-0/20 --add-tag uplink`
    """
    edit = TagEdit.of(tag, add_tag, remove_tag)
    changes = given(enabled=enabled, link_speed=link_speed)
    if vlan is not None:
        changes["vlan"] = None if vlan == "none" else vlan
    if not changes and not edit.is_asked:
        options = "`--vlan`, `--tag`, `--add-tag`, `--remove-tag`, `--enabled` or `--link-speed`"
        raise fail("no change is specified", f"use {options}", Exit.USAGE)
    with open_client(context) as client:
        changes |= given(tags=edit.interface(client, key, name))
        node = client.nodes.update_interface(key, name, changes)
    changed = next(nic for nic in node["interfaces"] if name in (nic["name"], str(nic["id"])))
    show_list([changed], INTERFACES, output, "")
