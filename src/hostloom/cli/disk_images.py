"""`hostloom image import` and `hostloom image sync`: where disk images come from."""

import base64
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import given
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.follow import Wait, finish
from hostloom.cli.output import Format, Output, say, show_data, show_done, show_list, size
from hostloom.cli.session import open_client
from hostloom.client import Client, Document, answers, keys
from hostloom.model.disk_image import BootMode, name_of_file

_BLOCK = 1024 * 1024
#: The server refuses larger keyrings.
MAX_KEYRING_BYTES = 375_000
_FILTERS = {"os": "os", "release": "release", "arch": "architecture"}

ITEMS: Columns[answers.SyncItem, keys.SyncItemKey] = (
    Column("NAME", lambda item: item["image"]["name"]),
    Column("ACTION", "action"),
    Column("VERSION", lambda item: item["image"]["version"], rank=1),
    Column("ARCHITECTURE", lambda item: item["image"]["architecture"], rank=3),
    Column("SIZE", lambda item: size(item["image"]["size_bytes"]), right=True, rank=2),
)


FileOrUrl = Annotated[
    str, typer.Argument(metavar="FILE|URL", help="A file here, or a URL that the server downloads.")
]
Name = Annotated[str | None, typer.Option(help="Name of the image; default: from the name of the file.")]
Title = Annotated[str, typer.Option(help="Title, shown to people.")]
Sha256 = Annotated[str | None, typer.Option(help="The SHA-256 that the file must have.")]
Sha256Sums = Annotated[
    str | None, typer.Option(metavar="URL", help="List of checksums, in GNU or BSD format.")
]
Os = Annotated[
    str | None, typer.Option("--os", help="ID of the system, such as `rocky`, if it cannot be read.")
]
Release = Annotated[str | None, typer.Option(help="Release of the system, such as `9`.")]
Codename = Annotated[str | None, typer.Option(help="Codename of the release.")]
Arch = Annotated[str | None, typer.Option(help="Architecture, such as `amd64` or `arm64`.")]
Boot = Annotated[
    list[BootMode] | None, typer.Option(help="Firmware that can start the disk; may be repeated.")
]
DefaultUser = Annotated[str | None, typer.Option(help="User that cloud-init creates, such as `rocky`.")]
CloudInit = Annotated[
    bool | None, typer.Option("--cloud-init/--no-cloud-init", help="Whether cloud-init is installed.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Give an image with this name the new content.")]
MirrorUrl = Annotated[str, typer.Argument(metavar="URL", help="A simplestreams mirror, or its index.")]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="os=…,release=…,arch=…",
        help="Only these images; release is a version, codename or alias. May be repeated.",
    ),
]
Keyring = Annotated[
    Path | None,
    typer.Option(help="Keyring for gpgv; a key in it must have signed the mirror's documents."),
]
Plan = Annotated[bool, typer.Option("--plan", help="Only show what would be done.")]


def import_image(
    context: typer.Context,
    source: FileOrUrl,
    name: Name = None,
    title: Title = "",
    sha256: Sha256 = None,
    sha256sums: Sha256Sums = None,
    os_: Os = None,
    release: Release = None,
    codename: Codename = None,
    arch: Arch = None,
    boot: Boot = None,
    user: DefaultUser = None,
    cloud_init: CloudInit = None,
    replace: Replace = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Import a disk image, as distributions publish them for clouds: qcow2 or raw, also compressed.

    The server recognises the file by its content, checks it within limits, and reads what is inside.
    Options about the content replace what is read.

    Examples:

    - `hostloom image import debian-12-genericcloud-amd64.qcow2 --name debian-12`
    - `hostloom image import https://cloud.example/noble.img --sha256sums https://cloud.example/SHA256SUMS`
    """
    content = given(os=os_, release=release, codename=codename, architecture=arch)
    content |= given(boot_modes=boot or None, default_user=user, has_cloud_init=cloud_init)
    document = given(name=name, title=title, sha256=sha256, sha256sums=sha256sums, replace=replace)
    with open_client(context) as client:
        document |= {"url": source} if "://" in source else _send(client, Path(source), document, output)
        done = finish(client, client.disk_images.create(document | content), output, wait=wait)
        show_ready(client.disk_images.get(done["subject"].removeprefix("image ")), "imported", output)


def sync_images(
    context: typer.Context,
    url: MirrorUrl,
    filter_: Filters = None,
    keyring: Keyring = None,
    plan: Plan = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Import the newest disk images of a simplestreams mirror; run it again for newer ones.

    Every file is checked against the SHA-256 in the mirror's documents. Without --keyring these are
    protected by https alone.

    Examples:

    - `hostloom image sync https://images.example --filter release=noble,arch=amd64 --plan`
    - `hostloom image sync https://images.example --filter os=debian`
    """
    mirror: Document = {"url": url, "filters": [_filter(text) for text in filter_ or ()], "plan": plan}
    if keyring is not None:
        with keyring.open("rb") as file:
            mirror["keyring"] = base64.b64encode(file.read(MAX_KEYRING_BYTES + 1)).decode()
    with open_client(context) as client:
        items = client.sync_disk_images(mirror)["items"]
        if plan or output is Format.TABLE:
            show_list(items, ITEMS, output, "")
        if plan:
            return
        while any(item["operation_id"] or item["action"] == "wait" for item in items):
            _follow_all(client, items, output, wait=wait)
            items = client.sync_disk_images(mirror)["items"]
    say("every image is here in its newest version")
    if output is not Format.TABLE:
        show_data(items, output)


def show_ready(image: answers.DiskImage, verb: str, output: Format) -> None:
    """Say what an image is that was imported or built."""
    for warning in image["warnings"]:
        say(f"warning: {warning}")
    system = " ".join(filter(None, (image["os"], image["release"], image["architecture"])))
    system = system or "an unknown system"
    disk_size = size(image["virtual_size_bytes"])
    show_done(f"image {image['name']} is {verb}: {system}, {disk_size}", image, output)


def _follow_all(client: Client, items: list[answers.SyncItem], output: Format, *, wait: bool) -> None:
    """Follow the imports that were begun, or else the oldest one that runs."""
    begun = [item["operation_id"] for item in items if item["operation_id"]]
    if not wait:
        say(f"{len(begun)} imports have begun; `hostloom operation list --unfinished` shows them")
        raise typer.Exit(Exit.OK)
    if not begun:
        running = client.operations.list(unfinished=True)
        begun = [operation["id"] for operation in running if operation["saga"] == "import-disk-image"][-1:]
    for key in begun:
        finish(client, client.operations.get(key), output, wait=True)


def _filter(text: str) -> Document:
    """Of `os=debian,arch=amd64`."""
    document: Document = {}
    for part in text.split(","):
        key, separator, value = part.partition("=")
        if not separator or key.strip() not in _FILTERS or not value.strip():
            raise fail(
                f"--filter: {part!r} is not one of os=…, release=… and arch=…",
                "for example --filter os=debian,arch=amd64",
                Exit.USAGE,
            )
        document[_FILTERS[key.strip()]] = value.strip()
    return document


def _send(client: Client, path: Path, document: Document, output: Format) -> Document:
    """Send a file; returns the fields of the import that refer to it."""
    name = document.get("name") or name_of_file(path.name)
    try:
        file = path.open("rb")
    except OSError as error:
        hint = "give a file here, or a URL that the server downloads"
        raise fail(f"{path}: {error.strerror}", hint, Exit.USAGE) from error
    with file:
        total = os.fstat(file.fileno()).st_size
        with _progress(path.name, total, is_shown=output is Format.TABLE and sys.stderr.isatty()) as advance:
            content = _blocks(file, advance)
            # The name of an image that is replaced is not free.
            sent = client.send_disk_image(content, total, None if document["replace"] else name)
    return {"name": name, "upload": sent["id"], "file_name": path.name}


def _blocks(file: BinaryIO, advance: Callable[[int], object]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block
        advance(len(block))


@contextmanager
def _progress(name: str, total: int, *, is_shown: bool) -> Iterator[Callable[[int], object]]:
    """A progress bar; the yielded function takes the number of bytes that were sent."""
    if not is_shown:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from hostloom.cli.output import console

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console(stderr=True)) as progress:
        task = progress.add_task(f"send {name}", total=total)
        yield partial(progress.advance, task)
