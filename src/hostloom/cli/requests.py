"""The options that say which machine is wanted: the same for plan and compose."""

from typing import Annotated

import typer

from hostloom.cli.hosts import MACVLAN_HELP
from hostloom.cli.nodes import tags_of
from hostloom.cli.nouns import given
from hostloom.cli.sizes import parse_memory
from hostloom.client import Document

Host = Annotated[str | None, typer.Option(help="The host by name or id; default: any that fits.")]
Interfaces = Annotated[
    str,
    typer.Option(
        metavar="CONSTRAINTS",
        help="NICs by constraint: `LABEL:KEY=VALUE[,…][;LABEL:…]`. Keys that select: id name hostname type "
        "tag fabric fabric_class vlan vid space subnet subnet_cidr ip link_speed, each but type and "
        "link_speed also as not_KEY. Keys that set: mode (auto, dhcp, unconfigured), attach (bridge, "
        "macvlan, network), macvlan_mode, network, mac, model. "
        f"Macvlan modes: {MACVLAN_HELP}",
    ),
]
Storage = Annotated[
    str,
    typer.Option(metavar="DISKS", help="Disks, sizes in GB: `LABEL:SIZE(POOL-OR-TAG,…),…`; default root:8."),
]
Cores = Annotated[int, typer.Option(min=1, help="Cores.")]
Memory = Annotated[str, typer.Option(metavar="SIZE", help="Memory: 2G, 512M, or MiB.")]
Architecture = Annotated[str | None, typer.Option(help="amd64, arm64 …; default: the host's own.")]
Name = Annotated[str | None, typer.Option(help="Its hostname; default: one is made up.")]
Netboot = Annotated[bool, typer.Option("--netboot/--no-netboot", help="Boot from the network first.")]
Start = Annotated[bool, typer.Option("--start/--no-start", help="Power it on when it is made.")]
Zone = Annotated[str | None, typer.Option(help="A zone by name or id; default: the host's.")]
Pool = Annotated[
    str | None, typer.Option("--resource-pool", help="A resource pool by name or id; default: the host's.")
]
Tag = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")]
Qcow2 = Annotated[bool, typer.Option("--qcow2", help="Disks as qcow2; default: raw, sparse.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show why, interface by interface.")]


def request_of(
    *,
    host: str | None,
    interfaces: str,
    storage: str,
    cores: int,
    memory: str,
    architecture: str | None,
    name: str | None,
    netboot: bool,
    start: bool,
    zone: str | None,
    resource_pool: str | None,
    tag: list[str] | None,
    qcow2: bool,
) -> Document:
    """The body of a plan or compose."""
    body = {
        "interfaces": interfaces,
        "storage": storage,
        "cores": cores,
        "memory_mib": parse_memory(memory),
        "netboot": netboot,
        "start": start,
        "qcow2": qcow2,
    }
    return body | given(
        host=host,
        architecture=architecture,
        hostname=name,
        zone=zone,
        resource_pool=resource_pool,
        tags=tags_of(tag),
    )
