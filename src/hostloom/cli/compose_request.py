"""The options that describe machines, shared by plan and compose."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from hostloom.cli.batch_files import read_batch
from hostloom.cli.crud_commands import given
from hostloom.cli.deploy_request import Account, SshKeys, UserData, deploy_request
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.hosts import MACVLAN_HELP
from hostloom.cli.sizes import parse_memory
from hostloom.cli.tags import NewTags, tags_of
from hostloom.client import Document
from hostloom.client.documents import document_of
from hostloom.model.request import MAX_BATCH, ComposeRequest, Strategy


@dataclass(frozen=True, kw_only=True)
class ComposeOptions:
    """The requested machines, according to the options."""

    host: Annotated[str | None, typer.Option(help="Host, by name or id; default: any suitable host.")] = None
    interfaces: Annotated[
        str,
        typer.Option(
            metavar="CONSTRAINTS",
            help="NICs by constraint: `LABEL:KEY=VALUE,…`, NICs separated by `;`. Keys that select: id name "
            "hostname type tag fabric fabric_class vlan vid space subnet subnet_cidr ip link_speed, each but "
            "type and link_speed also as not_KEY. Keys that set: mode (auto, dhcp, unconfigured), attach "
            "(bridge, macvlan, network), macvlan_mode, network, mac, model. "
            f"Macvlan modes: {MACVLAN_HELP}",
        ),
    ] = ""
    storage: Annotated[
        str,
        typer.Option(
            metavar="DISKS",
            help="Disks, sizes in GB: `LABEL:SIZE(POOL)` or `LABEL:SIZE(TAG)`, separated by commas; "
            "default root:8.",
        ),
    ] = ""
    cores: Annotated[int, typer.Option(min=1, help="Number of cores.")] = 1
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory, such as 2G or 512M; a plain number is in MiB.")
    ] = "2G"
    architecture: Annotated[
        str | None, typer.Option(help="amd64, arm64, …; default: the host's first architecture.")
    ] = None
    name: Annotated[str | None, typer.Option(help="Hostname; default: a generated name.")] = None
    netboot: Annotated[
        bool,
        typer.Option("--netboot/--no-netboot", help="Whether the firmware boots from the network first."),
    ] = True
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Whether to start the machine after its creation.")
    ] = True
    zone: Annotated[
        str | None,
        typer.Option(help="Choose a host in this zone, by name or id; with --host, set the machine's zone."),
    ] = None
    resource_pool: Annotated[
        str | None,
        typer.Option(
            "--resource-pool",
            help="Choose a host in this resource pool, by name or id; with --host, set the machine's pool.",
        ),
    ] = None
    host_tag: Annotated[
        list[str] | None, typer.Option("--host-tag", help="Choose a host with this tag; may be repeated.")
    ] = None
    not_host_tag: Annotated[
        list[str] | None,
        typer.Option("--not-host-tag", help="Choose a host without this tag; may be repeated."),
    ] = None
    domain: Annotated[
        str | None, typer.Option(help="Domain, by name or id; default: the default domain.")
    ] = None
    tag: NewTags = None
    autostart: Annotated[
        bool, typer.Option("--autostart/--no-autostart", help="Start the machine whenever its host starts.")
    ] = True
    qcow2: Annotated[bool, typer.Option("--qcow2", help="Create qcow2 disks; default: raw and sparse.")] = (
        False
    )
    image: Annotated[
        str | None,
        typer.Option(help="Disk image that the first disk is made from; default: disks stay empty."),
    ] = None
    ssh_key: SshKeys = None
    user: Account = ""
    user_data: UserData = None
    count: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_BATCH,
            help="Number of identical machines; all or none are created, with names NAME-1, NAME-2, …",
        ),
    ] = 1
    anti_affinity: Annotated[
        bool, typer.Option("--anti-affinity", help="Place no two of these machines on one host.")
    ] = False
    strategy: Annotated[
        Strategy | None,
        typer.Option(
            help="Placement of several machines: spread evenly, or pack on as few hosts as possible."
        ),
    ] = None
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Read machines from a YAML or JSON file, or from standard input (`-`).",
        ),
    ] = None

    @property
    def is_batch(self) -> bool:
        """Whether several machines are requested."""
        return self.from_file is not None or self.count > 1 or self.anti_affinity or self.strategy is not None

    def machine(self) -> Document:
        """The request body for one machine."""
        return document_of(self.request)

    def batch(self) -> Document:
        """The request body for several machines."""
        if self.from_file is not None:
            return read_batch(self.from_file) | given(strategy=self.strategy)
        word = (self.name or "the batch") if self.anti_affinity else None
        machine = document_of(replace(self.request, anti_affinity=word)) | {"count": self.count}
        return {"machines": [machine]} | given(strategy=self.strategy)

    @property
    def request(self) -> ComposeRequest:
        """The request for one of the machines; BadParameter for an invalid size."""
        return ComposeRequest(
            host=self.host,
            interfaces=self.interfaces,
            storage=self.storage,
            cores=self.cores,
            memory_mib=parse_memory(self.memory),
            architecture=self.architecture,
            netboot=self.netboot,
            hostname=self.name,
            zone=self.zone,
            resource_pool=self.resource_pool,
            tags=tuple(tags_of(self.tag) or ()),
            qcow2=self.qcow2,
            start=self.start,
            autostart=self.autostart,
            domain=self.domain,
            host_tags=tuple(self.host_tag or ()),
            not_host_tags=tuple(self.not_host_tag or ()),
            deploy=deploy_request(self.image, self.ssh_key, self.user, self.user_data),
        )


NAMES = tuple(field.name for field in fields(ComposeOptions))


def takes_compose_options(command: Callable[..., None]) -> Callable[..., None]:
    """Decorate a command with the compose options, which it receives in its argument `options`."""
    parameters = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.name != "options"
    ]
    options = list(inspect.signature(ComposeOptions).parameters.values())
    hints = get_type_hints(command, include_extras=True) | get_type_hints(ComposeOptions, include_extras=True)
    hints.pop("options", None)

    @wraps(command)
    def run(**values: Any) -> None:
        compose_options = ComposeOptions(**{name: values.pop(name) for name in NAMES})
        check_together(values["context"], compose_options)
        command(options=compose_options, **values)

    needed = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
    together = (*needed, *options, *(parameter for parameter in parameters if parameter not in needed))
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in together]
    run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = hints
    return run


def named(context: typer.Context) -> list[str]:
    """The spellings of the options that are set."""
    sources = {name: context.get_parameter_source(name) for name in NAMES}
    names = [name for name, source in sources.items() if source is not None and source.name != "DEFAULT"]
    return ["--from" if name == "from_file" else f"--{name.replace('_', '-')}" for name in names]


def check_together(context: typer.Context, options: ComposeOptions) -> None:
    """Refuse options that duplicate settings of a machine file."""
    others = [option for option in named(context) if option not in ("--from", "--strategy")]
    if options.from_file is not None and others:
        raise fail(f"--from and {', '.join(others)} exclude each other", "put them into the file", Exit.USAGE)
