"""`hostloom image`: images that machines boot from the network."""

from typing import Annotated

import typer

from hostloom.cli.columns import Column, Columns
from hostloom.cli.crud_commands import NounCommands, add_delete, add_list, add_show, make_app
from hostloom.cli.follow import finish
from hostloom.cli.output import Format, Output, show_done, size, table, when
from hostloom.cli.session import open_client
from hostloom.client import answers, keys
from hostloom.model.image import Flavour


def _total(item: answers.Image) -> str:
    return size(sum(file["size_bytes"] for file in item["files"]))


FILES: Columns[answers.ImageFile, keys.ImageFileKey] = (
    Column("NAME", "name"),
    Column("SIZE", lambda item: size(item["size_bytes"]), right=True),
    Column("SHA256", "sha256"),
)
NOUN = NounCommands[answers.Image, keys.ImageKey](
    "image",
    "An image by name.",
    lambda client: client.images,
    (
        Column("NAME", "name"),
        Column("FLAVOUR", "flavour"),
        Column("KERNEL", "kernel_version", rank=2),
        Column("ARCHITECTURE", "architecture", rank=4),
        Column("SIZE", _total, right=True, rank=3),
        Column("BUILT", lambda item: when(item["built_at"]), field="built_at", rank=1),
    ),
    parts=lambda item: [("files", table(item["files"], FILES))],
    empty="no boot images yet: `hostloom image build` builds one for virtual machines, "
    "`hostloom image build --flavour generic` also for physical machines",
    example="virtual-6.1.0-56-cloud-amd64-a3820ef8",
)

app = make_app(NOUN)


@app.command("build")
def build(
    context: typer.Context,
    flavour: Annotated[
        Flavour,
        typer.Option(help="virtual: for virtual machines; generic: for physical machines too."),
    ] = Flavour.VIRTUAL,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Follow the operation until it ends.")
    ] = True,
    output: Output = Format.TABLE,
) -> None:
    """Build a boot image on the server, from its distribution's kernel, without installing anything.

    Machines boot the new image from then on. The previous image is kept for machines that are booting;
    older ones are deleted.

    Examples:

    - `hostloom image build`
    - `hostloom image build --flavour generic`
    """
    with open_client(context) as client:
        finish(client, client.images.create({"flavour": flavour}), output, wait=wait)
        new_image = next(image for image in client.images.list() if image["flavour"] == flavour)
    show_done(
        f"image {new_image['name']} is built, {_total(new_image)}; machines now boot it",
        new_image,
        output,
    )


add_list(app, NOUN)
add_show(app, NOUN)
add_delete(app, NOUN, "Machines then boot the previous image, if one exists.")
