"""`hostloom zone`, `hostloom resource-pool`, `hostloom domain` and `hostloom tag`."""

from typing import Annotated, Any

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, given, make_app
from hostloom.cli.output import Format, Output, show_done
from hostloom.cli.session import open_client
from hostloom.client import answers, keys

_COLUMNS: Columns[answers.Group, keys.GroupKey] = (
    Column("ID", "id", right=True),
    Column("NAME", "name"),
    Column("DESCRIPTION", "description", text=True, rank=2),
)

ZONE = NounCommands[answers.Group, keys.GroupKey](
    "zone", "Zone, by name or id.", lambda client: client.zones, _COLUMNS, example="east"
)
POOL = NounCommands[answers.Group, keys.GroupKey](
    "resource-pool",
    "Resource pool, by name or id.",
    lambda client: client.resource_pools,
    _COLUMNS,
    example="web",
)
DOMAIN = NounCommands[answers.Domain, keys.DomainKey](
    "domain",
    "Domain, by name or id.",
    lambda client: client.domains,
    (
        Column("ID", "id", right=True),
        Column("NAME", "name"),
        Column("AUTHORITATIVE", "authoritative"),
        Column("DESCRIPTION", "description", text=True, rank=2),
    ),
    example="lab.example",
)
TAG = NounCommands[answers.Tag, keys.TagKey](
    "tag",
    "A tag by name or id.",
    lambda client: client.tags,
    (
        Column("ID", "id", right=True),
        Column("NAME", "name"),
        Column("DESCRIPTION", "description", text=True, rank=2),
        Column("KERNEL OPTIONS", "kernel_options", text=True, rank=1),
    ),
    empty="no tags are described yet: `hostloom tag create NAME`; every word is a valid tag",
    example="fast",
)

zone = make_app(ZONE)
resource_pool = make_app(POOL)
domain = make_app(DOMAIN)
tag = make_app(TAG)


def _add_simple(app: typer.Typer, noun: NounCommands[answers.Group, keys.GroupKey]) -> None:
    """Add create and update to a noun with a name and a description."""

    @app.command(
        "create", help=f"Create a {noun.name}.\n\nExample: `hostloom {noun.name} create {noun.example}`"
    )
    def create(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help="Name.")],
        description: Annotated[str, typer.Option(help="Free-text description.")] = "",
        output: Output = Format.TABLE,
    ) -> None:
        with open_client(context) as client:
            item = noun.collection(client).create({"name": name, "description": description})
        show_done(f"{noun.name} {item['name']} created (id {item['id']})", item, output)

    @app.command(
        "update",
        help=f"Change a {noun.name}.\n\nExample: `hostloom {noun.name} update {noun.example} --name other`",
    )
    def update(
        context: typer.Context,
        key: Annotated[str, typer.Argument(metavar="NAME", help=noun.key)],
        name: Annotated[str | None, typer.Option(help="New name.")] = None,
        description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
        output: Output = Format.TABLE,
    ) -> None:
        with open_client(context) as client:
            changed = noun.collection(client).update(key, given(name=name, description=description))
        noun.show(changed, output)


_ALL: tuple[tuple[typer.Typer, NounCommands[Any, Any]], ...] = (
    (zone, ZONE),
    (resource_pool, POOL),
    (domain, DOMAIN),
    (tag, TAG),
)
for _app, _noun in _ALL:
    add_list(_app, _noun)
    add_show(_app, _noun)
    add_delete(_app, _noun)

_add_simple(zone, ZONE)
_add_simple(resource_pool, POOL)


@domain.command("create")
def create_domain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="DNS name of the domain.")],
    authoritative: Annotated[
        bool, typer.Option(help="Whether hostloom is authoritative for the domain.")
    ] = True,
    description: Annotated[str, typer.Option(help="Free-text description.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Create a domain.

    Example: `hostloom domain create lab.example`
    """
    with open_client(context) as client:
        domain = {"name": name, "authoritative": authoritative, "description": description}
        document = client.domains.create(domain)
    show_done(f"domain {document['name']} created (id {document['id']})", document, output)


@domain.command("update")
def update_domain(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="NAME", help=DOMAIN.key)],
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    authoritative: Annotated[
        bool | None, typer.Option(help="Whether hostloom is authoritative for the domain.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a domain.

    Example: `hostloom domain update lab.example --no-authoritative`
    """
    with open_client(context) as client:
        changes = given(name=name, authoritative=authoritative, description=description)
        DOMAIN.show(client.domains.update(key, changes), output)


@tag.command("create")
def create_tag(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Tag.")],
    description: Annotated[str, typer.Option(help="Free-text description.")] = "",
    kernel_options: Annotated[str, typer.Option(help="Kernel options of machines with this tag.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Describe a tag.

    Example: `hostloom tag create fast --description 'NVMe disks'`
    """
    body = {"name": name, "description": description, "kernel_options": kernel_options}
    with open_client(context) as client:
        document = client.tags.create(body)
    show_done(f"tag {document['name']} created (id {document['id']})", document, output)


@tag.command("update")
def update_tag(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="NAME", help=TAG.key)],
    name: Annotated[str | None, typer.Option(help="New tag name.")] = None,
    description: Annotated[str | None, typer.Option(help="Free-text description.")] = None,
    kernel_options: Annotated[str | None, typer.Option(help="Kernel options.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a tag.

    Example: `hostloom tag update fast --kernel-options console=ttyS0`
    """
    changes = given(name=name, description=description, kernel_options=kernel_options)
    with open_client(context) as client:
        TAG.show(client.tags.update(key, changes), output)
