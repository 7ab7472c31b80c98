"""`hostloom storage-pool`."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column
from hostloom.cli.crud_commands import NounCommands, given, make_app
from hostloom.cli.listing import lists
from hostloom.cli.output import Format, Output, show_done, size
from hostloom.cli.session import open_client
from hostloom.client import answers, keys

NOUN = NounCommands[answers.StoragePoolOfHost, keys.StoragePoolOfHostKey](
    "storage pool",
    "A storage pool by name.",
    lambda client: client.storage_pools,
    (
        Column("HOST", "host"),
        Column("NAME", "name"),
        Column("KIND", "kind", rank=3),
        Column("FREE", lambda item: size(item["free_bytes"]), right=True),
        Column("TOTAL", lambda item: size(item["total_bytes"]), right=True, rank=2),
        Column("DEFAULT", "is_default", rank=1),
        Column("ACTIVE", lambda item: "yes" if item["active"] else item["trouble"] or "no"),
        Column("TAGS", "tags"),
    ),
    empty="no storage pools: they are read from hosts (`hostloom host list`)",
    example="default",
)

app = make_app(NOUN)

Host = Annotated[str, typer.Argument(metavar="HOST", help="Host, by name or id.")]
Pool = Annotated[str, typer.Argument(metavar="POOL", help="Storage pool of the host, by name.")]


@app.command("list")
@lists(NOUN.listing())
def list_(
    context: typer.Context,
    host: Annotated[
        str | None,
        typer.Argument(metavar="[HOST]", help="Show only storage pools of this host, by name or id."),
    ] = None,
) -> list[answers.StoragePoolOfHost]:
    """List storage pools.

    Example: `hostloom storage-pool list kvm1`
    """
    with open_client(context) as client:
        return client.storage_pools.list(**given(host=host))


@app.command("show")
def show(context: typer.Context, host: Host, pool: Pool, output: Output = Format.TABLE) -> None:
    """Show a storage pool of a host.

    Example: `hostloom storage-pool show kvm1 default`
    """
    with open_client(context) as client:
        NOUN.show(client.storage_pools.get(_key(host, pool)), output)


@app.command("update")
def update(
    context: typer.Context,
    host: Host,
    pool: Pool,
    add_tag: Annotated[
        list[str] | None, typer.Option("--add-tag", help="Tag to add; may be repeated.")
    ] = None,
    remove_tag: Annotated[
        list[str] | None, typer.Option("--remove-tag", help="Tag to remove; may be repeated.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Add or remove tags of a storage pool. Disks select pools by tag: `--storage 'root:8(ssd)'`.

    Example: `hostloom storage-pool update kvm1 nvme0 --add-tag ssd`
    """
    changes = {"add_tags": add_tag or [], "remove_tags": remove_tag or []}
    with open_client(context) as client:
        changed = client.storage_pools.update(_key(host, pool), changes)
    tags = ", ".join(changed["tags"]) or "none"
    show_done(f"storage pool {changed['name']} of {changed['host']} has tags: {tags}", changed, output)


def _key(host: str, pool: str) -> str:
    return f"{host}/{pool}"
