"""`hostloom image`: what machines boot from the network, and the disks that they are deployed from."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import Part, Yes, confirm
from hostloom.cli.disk_images import import_image, sync_images
from hostloom.cli.image_build import build
from hostloom.cli.listing import Listing, lists
from hostloom.cli.output import Format, Output, show_done, show_one, size, table, when
from hostloom.cli.session import open_client
from hostloom.client import Client, Document, Problem, answers, keys

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", name="image")
Key = Annotated[str, typer.Argument(metavar="NAME", help="An image by name.")]


class Kind(StrEnum):
    """Kinds of images."""

    BOOT = "boot"
    DISK = "disk"


def _boot_size(item: Document) -> int:
    return sum(int(file["size_bytes"]) for file in item["files"])


def _stored_size(item: Document) -> str:
    return size(_boot_size(item) if item["kind"] == Kind.BOOT else item["size_bytes"])


def _system(item: Document) -> str:
    if item["kind"] == Kind.BOOT:
        return f"Linux {item['kernel_version']}"
    return f"{item['os']} {item['release']}".strip()


def _since(item: Document) -> str:
    return when(item["built_at"] if item["kind"] == Kind.BOOT else item["imported_at"])


def _starts_by(item: Document) -> str:
    return "network" if item["kind"] == Kind.BOOT else "+".join(item["boot_modes"])


LISTING = Listing[Document, str](
    (
        Column("NAME", "name"),
        Column("KIND", "kind"),
        Column("SYSTEM", _system, rank=2),
        Column("ARCHITECTURE", "architecture", rank=4),
        Column("BOOT", _starts_by, rank=5),
        Column("SIZE", _stored_size, right=True, rank=3),
        Column("SINCE", _since, rank=1),
    ),
    "no images yet: `hostloom image build` makes a boot image, `hostloom image import` brings a disk image",
    "NAME",
    (
        Column("OS", lambda item: item.get("os")),
        Column("RELEASE", lambda item: item.get("release")),
        Column("FLAVOUR", lambda item: item.get("flavour")),
        Column("TITLE", lambda item: item.get("title")),
    ),
)
FILES: Columns[answers.ImageFile, keys.ImageFileKey] = (
    Column("NAME", "name"),
    Column("SIZE", lambda item: size(item["size_bytes"]), right=True),
    Column("SHA256", "sha256"),
)
BOOT_LINES: Columns[Document, str] = (
    Column("NAME", "name"),
    Column("KIND", "kind"),
    Column("FLAVOUR", "flavour"),
    Column("KERNEL", "kernel_version"),
    Column("ARCHITECTURE", "architecture"),
    Column("SIZE", _stored_size),
    Column("BUILT", _since),
)
DISK_LINES: Columns[Document, str] = (
    Column("NAME", "name"),
    Column("KIND", "kind"),
    Column("TITLE", "title"),
    Column("SYSTEM", _system),
    Column("CODENAME", "codename"),
    Column("ARCHITECTURE", "architecture"),
    Column("BOOT", "boot_modes"),
    Column("CLOUD-INIT", "has_cloud_init"),
    Column("KVM", "has_kvm"),
    Column("DEFAULT USER", "default_user"),
    Column("DISK SIZE", lambda item: size(item["virtual_size_bytes"])),
    Column("STORED", _stored_size),
    Column("STREAM", lambda item: size(item["stream_size_bytes"])),
    Column("SHA256", "sha256"),
    Column("SOURCE", "source"),
    Column("IMPORTED", _since),
)


@app.command("list")
@lists(LISTING)
def list_(
    context: typer.Context,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Show only images of this kind.")] = None,
) -> list[Document]:
    """List images: boot images, which machines boot from the network, and disk images.

    Examples:

    - `hostloom image list`
    - `hostloom image list --kind disk -o json`
    """
    with open_client(context) as client:
        boot = client.images.list() if kind is not Kind.DISK else []
        disks = client.disk_images.list() if kind is not Kind.BOOT else []
    return [*(_of(Kind.BOOT, item) for item in boot), *(_of(Kind.DISK, item) for item in disks)]


@app.command("show")
def show(context: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show one image, and what is known about its content.

    Example: `hostloom image show debian-12`
    """
    with open_client(context) as client:
        item = find(client, key)
    if item["kind"] == Kind.BOOT:
        show_one(item, BOOT_LINES, output, [("files", table(item["files"], FILES))])
    else:
        show_one(item, DISK_LINES, output, _warnings(item))


@app.command("delete")
def delete(context: typer.Context, key: Key, yes: Yes = False, output: Output = Format.TABLE) -> None:
    """Delete one image. While machines are deployed from a disk image, this is refused and lists them.

    Of boot images, machines then boot the one before it, if there is one.

    Example: `hostloom image delete debian-12 --yes`
    """
    with open_client(context) as client:
        item = find(client, key)
        confirm(f"Delete {item['kind']} image {item['name']}?", yes=yes)
        if item["kind"] == Kind.BOOT:
            client.images.delete(item["name"])
        else:
            client.disk_images.delete(item["name"])
    show_done(f"image {item['name']} deleted", {"deleted": item["name"]}, output)


def find(client: Client, key: str) -> Document:
    """A disk image or a boot image by name."""
    try:
        return _of(Kind.DISK, client.disk_images.get(key))
    except Problem as problem:
        if problem.code != "not-found":
            raise
    return _of(Kind.BOOT, client.images.get(key))


def _of(kind: Kind, item: Any) -> Document:
    return {"kind": kind.value, **item}


def _warnings(item: Document) -> Sequence[Part]:
    return [("warnings", "\n".join(item["warnings"]))] if item["warnings"] else []


app.command("build")(build)
app.command("import")(import_image)
app.command("sync")(sync_images)
