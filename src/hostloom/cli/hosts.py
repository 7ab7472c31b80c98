"""`hostloom host`."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, given, make_app
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.follow import finish
from hostloom.cli.output import (
    Format,
    Output,
    memory,
    say,
    show_data,
    show_done,
    show_list,
    size,
    table,
    when,
)
from hostloom.cli.session import open_client
from hostloom.cli.ssh_keys import create_trusting
from hostloom.cli.tags import AddTags, NewTags, RemoveTags, TagEdit, Tags, tags_of
from hostloom.client import answers, keys
from hostloom.model.attachment import MacvlanMode
from hostloom.model.host import InstalledBy

#: What each mode does; every option that takes one says so.
MACVLAN_HELP = (
    "private: machines on one parent cannot talk to each other but reach what lies beyond it. "
    "vepa: their traffic leaves through the parent and comes back only where the switch reflects it. "
    "bridge: they talk to each other locally, behind the parent. "
    "passthru: one machine owns the parent and may change its MAC."
)


class ModeOrNone(StrEnum):
    """A macvlan mode, or none."""

    PRIVATE = "private"
    VEPA = "vepa"
    BRIDGE = "bridge"
    PASSTHRU = "passthru"
    NONE = "none"


def _node(item: answers.Host) -> str:
    found = item["correlation"]
    return str(found["node"] if found["state"] == "correlated" else found["state"])


def _evidence(item: answers.Host) -> str:
    found = item["correlation"]
    if found["state"] == "ambiguous":
        return f"ambiguous: {', '.join(found['candidates'])} (choose with `hostloom host update --node`)"
    if found["state"] == "unknown":
        return "unknown"
    return f"{found['node']} (by {found['evidence']} {found['matched']})".replace(" )", ")")


def _of(used: int, offered: int, there: int, text: Callable[[int], str]) -> str:
    """`5 of 8 used`; where over-commit makes a difference, with what is there."""
    more = "" if offered == there else f" ({text(there)} there)"
    return f"{text(used)} of {text(offered)} used{more}"


POOLS: Columns[answers.StoragePool, keys.StoragePoolKey] = (
    Column("NAME", "name"),
    Column("KIND", "kind", rank=2),
    Column("FREE", lambda item: size(item["free_bytes"]), right=True),
    Column("TOTAL", lambda item: size(item["total_bytes"]), right=True),
    Column("DEFAULT", "is_default"),
    Column(
        "ACTIVE",
        lambda item: f"no: {item['trouble']}" if item["trouble"] else item["active"],
        text=True,
    ),
    Column("TAGS", "tags", rank=1),
)
NETWORKS: Columns[answers.LibvirtNetwork, keys.LibvirtNetworkKey] = (
    Column("NAME", "name"),
    Column("ACTIVE", "active"),
    Column("BRIDGE", "bridge"),
    Column("LIBVIRT DHCP", "dhcp"),
    Column("FORWARD", "forward", rank=1),
)
#: Parts that a line names.
NAMED_PARTS = 5
FINDINGS: Columns[answers.Finding, keys.FindingKey] = (
    Column("PART", "part"),
    Column("EXPECTED", "expected", text=True),
    Column("FOUND", "found", text=True),
)
NOUN = NounCommands[answers.Host, keys.HostKey](
    "host",
    "Host, by name or id.",
    lambda client: client.hosts,
    (
        Column("ID", "id", right=True, rank=3),
        Column("NAME", "name"),
        Column("STATE", lambda item: "reachable" if item["reachable"] else "unreachable"),
        Column("NODE", _node, rank=2),
        Column(
            "CORES",
            lambda item: f"{item['cores_used']} of {item['cores_offered']}",
            right=True,
            field="cores",
        ),
        Column(
            "MEMORY MIB",
            lambda item: f"{item['memory_mib_used']} of {item['memory_mib_offered']}",
            right=True,
            field="memory_mib",
        ),
        Column("MACHINES", "machines", right=True),
        Column("URI", "uri", rank=1),
    ),
    (
        Column("NAME", "name"),
        Column("ID", "id"),
        Column("URI", "uri"),
        Column("REACHABLE", lambda item: "yes" if item["reachable"] else f"no: {item['unreachable_cause']}"),
        Column("READ", lambda item: when(item["facts_at"])),
        Column("NODE", _evidence),
        Column("INSTALLED BY", "installed_by"),
        Column("MACVLAN MODE", lambda item: item["default_macvlan_mode"] or "bridge (default)"),
        Column("ARCHITECTURES", "architectures"),
        Column("CORES", lambda item: _of(item["cores_used"], item["cores_offered"], item["cores"], str)),
        Column(
            "MEMORY",
            lambda item: _of(item["memory_mib_used"], item["memory_mib_offered"], item["memory_mib"], memory),
        ),
        Column("HUGE PAGES", lambda item: memory(item["huge_pages_mib"]) if item["huge_pages_mib"] else None),
        Column(
            "OVER-COMMIT",
            lambda item: (
                f"cores {item['cpu_over_commit_ratio']:g}, memory {item['memory_over_commit_ratio']:g}"
            ),
        ),
        Column("MACHINES", "machines"),
        Column("ZONE", "zone"),
        Column("RESOURCE POOL", "resource_pool"),
        Column("TAGS", "tags"),
        Column("SSH KEY", "host_key"),
    ),
    parts=lambda item: [
        ("storage pools", table(item["storage_pools"], POOLS)),
        ("libvirt networks", table(item["libvirt_networks"], NETWORKS)),
        *([("not readable", table(item["findings"], FINDINGS))] if item["findings"] else []),
    ],
    empty="no hosts yet: `hostloom host add NAME qemu+ssh://USER@ADDRESS/system` adds one",
    example="kvm1",
)

CHANGES: Columns[answers.Change, keys.ChangeKey] = (
    Column("WHAT", "kind"),
    Column("INTERFACE", "subject"),
    Column("RECORDED", "recorded"),
    Column("THERE", "observed"),
)

app = make_app(NOUN)

Key = Annotated[str, typer.Argument(metavar="HOST", help=NOUN.key)]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the operation until it ends.")]
Mode = Annotated[MacvlanMode | None, typer.Option(help=f"Default macvlan mode. {MACVLAN_HELP}")]


@app.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the host.")],
    uri: Annotated[str, typer.Argument(help="libvirt URI of the host, without secrets.")],
    accept_key: Annotated[
        str | None,
        typer.Option(metavar="SHA256:…", help="Expected fingerprint of the host's SSH key, for scripts."),
    ] = None,
    adopt: Annotated[
        bool, typer.Option(help="If no known node matches, create one from the host's interfaces.")
    ] = True,
    installed_by: Annotated[InstalledBy | None, typer.Option(help="Who installed KVM on the host.")] = None,
    macvlan_mode: Mode = None,
    cpu_over_commit: Annotated[
        float | None,
        typer.Option(help="Over-commit ratio of cores: cores to give out for each core of the host."),
    ] = None,
    memory_over_commit: Annotated[
        float | None,
        typer.Option(help="Over-commit ratio of memory: MiB to give out for each MiB of the host."),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Zone, by name or id.")] = None,
    resource_pool: Annotated[str | None, typer.Option(help="Resource pool, by name or id.")] = None,
    tag: NewTags = None,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Add a KVM host: show and pin its SSH key, read the host and record it.

    Examples:

    - `hostloom host add kvm1 qemu+ssh://ubuntu@10.0.0.5/system`
    - `hostloom host add here qemu:///system`
    """
    body = {"name": name, "uri": uri, "adopt": adopt} | given(
        accept_key=accept_key,
        installed_by=installed_by,
        default_macvlan_mode=macvlan_mode,
        cpu_over_commit_ratio=cpu_over_commit,
        memory_over_commit_ratio=memory_over_commit,
        zone=zone,
        resource_pool=resource_pool,
        tags=tags_of(tag),
    )
    with open_client(context) as client:
        finish(client, create_trusting(client.hosts.create, body), output, wait=wait)
        made = client.hosts.get(name)
        show_done(f"host {name} added; its node is {_node(made)}", made, output)
        if output is Format.TABLE and made["correlation"]["state"] != "correlated":
            say("interface constraints need a known node: `hostloom host show` says more")
        _say_unreadable(made, output)


def _say_unreadable(host: answers.Host, output: Format) -> None:
    """Name the parts of a host that the last reading could not make out, the first of many."""
    parts = [finding["part"] for finding in host["findings"]]
    if output is Format.TABLE and parts:
        named = ", ".join(parts[:NAMED_PARTS]) + (", …" if len(parts) > NAMED_PARTS else "")
        say(f"not readable: {named}; `hostloom host show {host['name']}` says more")


add_list(app, NOUN)


@app.command("show")
def show(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show one host, and what a machine without interface constraints would be attached to.

    Example: `hostloom host show kvm1`
    """
    with open_client(context) as client:
        item = client.hosts.get(key)
        NOUN.show(item, output)
        if output is Format.TABLE:
            typer.echo(f"\n{unconstrained(client.hosts.get_networks(key))}")


def unconstrained(found: answers.HostNetworks) -> str:
    """What a compose without interface constraints takes of a host, in a line."""
    if found["takes"] is None:
        return "without interface constraints: nothing that a machine could be put on"
    boots = "boots from the network" if found["boots"] else "does not boot from the network"
    return f"without interface constraints: {found['attach']} {found['takes']}, {boots}"


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    uri: Annotated[str | None, typer.Option(help="New libvirt URI.")] = None,
    installed_by: Annotated[InstalledBy | None, typer.Option(help="Who installed KVM on the host.")] = None,
    macvlan_mode: Annotated[
        ModeOrNone | None,
        typer.Option(help=f"Default macvlan mode; none: bridge. {MACVLAN_HELP}"),
    ] = None,
    cpu_over_commit: Annotated[
        float | None,
        typer.Option(help="Over-commit ratio of cores: cores to give out for each core of the host."),
    ] = None,
    memory_over_commit: Annotated[
        float | None,
        typer.Option(help="Over-commit ratio of memory: MiB to give out for each MiB of the host."),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Zone, by name or id.")] = None,
    resource_pool: Annotated[str | None, typer.Option(help="Resource pool, by name or id.")] = None,
    tag: Tags = None,
    add_tag: AddTags = None,
    remove_tag: RemoveTags = None,
    default_pool: Annotated[
        str | None,
        typer.Option(
            metavar="POOL",
            help="Default storage pool for disks without pool or tag; '' restores libvirt's default.",
        ),
    ] = None,
    node: Annotated[str | None, typer.Option(metavar="NODE", help="Node that the host is.")] = None,
    forget_key: Annotated[
        bool, typer.Option("--forget-key", help="Forget the pinned SSH key of the host.")
    ] = False,
    accept_key: Annotated[
        str | None,
        typer.Option(metavar="SHA256:…", help="Pin this SSH key instead, because the host was reinstalled."),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a host.

    Example: `hostloom host update kvm1 --macvlan-mode private --cpu-over-commit 2`
    """
    changes = given(
        name=name,
        uri=uri,
        installed_by=installed_by,
        cpu_over_commit_ratio=cpu_over_commit,
        memory_over_commit_ratio=memory_over_commit,
        zone=zone,
        resource_pool=resource_pool,
        forget_key=forget_key or None,
        accept_key=accept_key,
        default_pool=default_pool,
    )
    if macvlan_mode is not None:
        changes["default_macvlan_mode"] = None if macvlan_mode is ModeOrNone.NONE else macvlan_mode
    edit = TagEdit.of(tag, add_tag, remove_tag)
    if not changes and node is None and not edit.is_asked:
        raise fail("nothing to change", "`hostloom host update --help` shows what can be", Exit.USAGE)
    with open_client(context) as client:
        if node is not None:
            changes["node"] = client.nodes.get(node)["system_id"]
        NOUN.show(edit.update(client.hosts, key, changes) or client.hosts.get(key), output)


add_delete(app, NOUN, "Nothing on the host itself is touched.")


@app.command("refresh")
def refresh(context: typer.Context, key: Key, wait: Wait = True, output: Output = Format.TABLE) -> None:
    """Read a host again and record what changed, without changing the host.

    Example: `hostloom host refresh kvm1`
    """
    with open_client(context) as client:
        finish(client, client.hosts.refresh(key), output, wait=wait)
        done = client.hosts.get(key)
    show_done(f"host {done['name']} read; {done['machines']} machines", done, output)
    _say_unreadable(done, output)


@app.command("scan")
def scan(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show how a refresh would change a host's interfaces, without recording it.

    Example: `hostloom host scan kvm1`
    """
    with open_client(context) as client:
        found = client.hosts.get_scan(key)
    if output is Format.TABLE:
        show_list(found["changes"], CHANGES, output, f"host {found['host']} is as recorded")
    else:
        show_data(found, output)
