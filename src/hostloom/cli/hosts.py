"""`hostloom host`."""

from enum import StrEnum
from typing import Annotated

import typer

from hostloom.cli.crud_commands import add_delete, add_list, given, make_app
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.follow import Wait, finish
from hostloom.cli.host_tables import CHANGES, MAPPED_NICS, NOUN, node_of
from hostloom.cli.output import (
    Format,
    Output,
    say,
    show_data,
    show_done,
    show_list,
    show_text,
)
from hostloom.cli.session import open_client
from hostloom.cli.ssh_keys import create_trusting
from hostloom.cli.tags import AddTags, NewTags, RemoveTags, TagEdit, Tags, tags_of
from hostloom.client import answers
from hostloom.model.attachment import MacvlanMode
from hostloom.model.host import InstalledBy

#: The effect of the modes, for the help of all options that take one.
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


#: libvirt on the machine that the server runs on.
LOCAL_URI = "qemu:///system"
#: Maximum number of parts in a line.
NAMED_PARTS = 5

app = make_app(NOUN)

Key = Annotated[str, typer.Argument(metavar="HOST", help=NOUN.key)]
Mode = Annotated[
    MacvlanMode | None, typer.Option(metavar="MODE", help=f"Default macvlan mode. {MACVLAN_HELP}")
]
Installer = Annotated[
    InstalledBy | None,
    typer.Option(metavar="WHO", help=f"Who installed KVM on the host: {', '.join(InstalledBy)}."),
]
CoreRatio = Annotated[
    float | None,
    typer.Option(help="Over-commit ratio of cores: virtual cores per core of the host."),
]
MemoryRatio = Annotated[
    float | None,
    typer.Option(help="Over-commit ratio of memory: MiB of machines per MiB of the host."),
]
ZoneKey = Annotated[str | None, typer.Option(help="Zone, by name or id.")]
PoolKey = Annotated[str | None, typer.Option(help="Resource pool, by name or id.")]
NewMode = Annotated[
    ModeOrNone | None,
    typer.Option(metavar="MODE", help=f"Default macvlan mode; none: bridge. {MACVLAN_HELP}"),
]
DefaultPool = Annotated[
    str | None,
    typer.Option(
        metavar="POOL",
        help="Default storage pool for disks without pool or tag; '' restores libvirt's default.",
    ),
]
ForgetKey = Annotated[bool, typer.Option("--forget-key", help="Delete the pinned SSH key of the host.")]
PinnedKey = Annotated[
    str | None,
    typer.Option(metavar="SHA256:…", help="Pin this SSH key instead, because the host was reinstalled."),
]
ExpectedKey = Annotated[
    str | None,
    typer.Option(metavar="SHA256:…", help="Expected fingerprint of the host's SSH key, for scripts."),
]
NewName = Annotated[str, typer.Argument(help="Name of the host.")]
NewUri = Annotated[str, typer.Argument(help="libvirt URI of the host, without secrets.")]
Local = Annotated[bool, typer.Option("--local", help="The host is the machine that the server runs on.")]
Adopt = Annotated[bool, typer.Option(help="If no known node matches, create one from the host's interfaces.")]


@app.command("add")
def add(
    context: typer.Context,
    name: NewName,
    uri: NewUri = "",
    local: Local = False,
    accept_key: ExpectedKey = None,
    adopt: Adopt = True,
    installed_by: Installer = None,
    macvlan_mode: Mode = None,
    cpu_over_commit: CoreRatio = None,
    memory_over_commit: MemoryRatio = None,
    zone: ZoneKey = None,
    resource_pool: PoolKey = None,
    tag: NewTags = None,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Add a KVM host: show and pin its SSH key, read the host and record it.

    Examples:

    - `hostloom host add kvm1 qemu+ssh://ubuntu@10.0.0.5/system`
    - `hostloom host add here --local`
    """
    body = {"name": name, "uri": _uri_of(uri, local=local), "adopt": adopt} | given(
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
        host = client.hosts.get(name)
    show_done(f"host {name} added; its node is {node_of(host)}", host, output)
    _say_origin(host, output)
    _say_unreadable(host, output)


def _say_origin(host: answers.Host, output: Format) -> None:
    if output is Format.TABLE:
        say(f"{host['origin']['text']} {host['origin']['attaching']}")


def _uri_of(uri: str, *, local: bool) -> str:
    if local == bool(uri):
        raise fail("give either a URI or --local", "`hostloom host add --help` shows examples", Exit.USAGE)
    return uri or LOCAL_URI


def _say_unreadable(host: answers.Host, output: Format) -> None:
    """Print the first parts of a host that the last reading could not understand."""
    parts = [finding["part"] for finding in host["findings"]]
    if output is Format.TABLE and parts:
        text = ", ".join(parts[:NAMED_PARTS]) + (", …" if len(parts) > NAMED_PARTS else "")
        say(f"not readable: {text}; see `hostloom host show {host['name']}`")


add_list(app, NOUN)


@app.command("show")
def show(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show one host, and how a machine without interface constraints would be attached.

    Example: `hostloom host show kvm1`
    """
    with open_client(context) as client:
        item = client.hosts.get(key)
        NOUN.show(item, output)
        if output is Format.TABLE:
            networks = unconstrained(client.hosts.get_networks(key))
            show_text("", item["origin"]["text"], item["origin"]["attaching"], networks)


def unconstrained(networks: answers.HostNetworks) -> str:
    """How a compose without interface constraints attaches a machine to a host, in one line."""
    if networks["takes"] is None:
        return "without interface constraints: no network for a machine"
    boots = "boots from the network" if networks["boots"] else "does not boot from the network"
    return f"without interface constraints: {networks['attach']} {networks['takes']}, {boots}"


@app.command("update")
def update(
    context: typer.Context,
    key: Key,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    uri: Annotated[str | None, typer.Option(help="New libvirt URI.")] = None,
    installed_by: Installer = None,
    macvlan_mode: NewMode = None,
    cpu_over_commit: CoreRatio = None,
    memory_over_commit: MemoryRatio = None,
    zone: ZoneKey = None,
    resource_pool: PoolKey = None,
    tag: Tags = None,
    add_tag: AddTags = None,
    remove_tag: RemoveTags = None,
    default_pool: DefaultPool = None,
    node: Annotated[str | None, typer.Option(metavar="NODE", help="Node of the host.")] = None,
    forget_key: ForgetKey = False,
    accept_key: PinnedKey = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a host.

    Example: `hostloom host update kvm1 --macvlan-mode private --cpu-over-commit 2`
    """
    changes = given(name=name, uri=uri, installed_by=installed_by, zone=zone, resource_pool=resource_pool)
    changes |= given(cpu_over_commit_ratio=cpu_over_commit, memory_over_commit_ratio=memory_over_commit)
    changes |= given(forget_key=forget_key or None, accept_key=accept_key, default_pool=default_pool)
    if macvlan_mode is not None:
        changes["default_macvlan_mode"] = None if macvlan_mode is ModeOrNone.NONE else macvlan_mode
    edit = TagEdit.of(tag, add_tag, remove_tag)
    if not changes and node is None and not edit.is_asked:
        raise fail(
            "no change is specified",
            "`hostloom host update --help` lists what can be changed",
            Exit.USAGE,
        )
    with open_client(context) as client:
        if node is not None:
            changes["node"] = client.nodes.get(node)["system_id"]
        NOUN.show(edit.update(client.hosts, key, changes) or client.hosts.get(key), output)


add_delete(app, NOUN, "The host itself is not changed.")


@app.command("refresh")
def refresh(context: typer.Context, key: Key, wait: Wait = True, output: Output = Format.TABLE) -> None:
    """Read a host again and record what changed, without changing the host.

    Example: `hostloom host refresh kvm1`
    """
    with open_client(context) as client:
        finish(client, client.hosts.refresh(key), output, wait=wait)
        host = client.hosts.get(key)
    show_done(f"host {host['name']} read; {host['machines']} machines", host, output)
    _say_unreadable(host, output)


@app.command("scan")
def scan(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show how a refresh would change a host's interfaces, without recording it.

    Example: `hostloom host scan kvm1`
    """
    with open_client(context) as client:
        result = client.hosts.get_scan(key)
    if output is Format.TABLE:
        show_list(
            result["changes"], CHANGES, output, f"the interfaces of host {result['host']} have not changed"
        )
    else:
        show_data(result, output)


@app.command("adopt")
def adopt(
    context: typer.Context,
    key: Key,
    plan: Annotated[bool, typer.Option("--plan", help="Show the VLANs without recording anything.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Map the NICs of machines that others created on a host to VLANs; the machines are not changed.

    A refresh records the same. NICs without a known VLAN are listed with the reason.

    Example: `hostloom host adopt kvm1 --plan`
    """
    with open_client(context) as client:
        if not plan:
            finish(client, client.hosts.refresh(key), output, wait=True)
        report = client.hosts.get_adoption(key)
    if output is not Format.TABLE:
        show_data(report, output)
        return
    show_list(
        report["nics"], MAPPED_NICS, output, f"host {report['host']} has no machines that others created"
    )
    for nic in report["nics"]:
        if nic["vlan"] is None:
            typer.echo(f"{nic['machine']} {nic['mac']}: {nic['why_not']}")
    say(report["origin"]["text"])
