"""`hostloom image build`: boot images, and disk images made of a distribution's packages."""

from typing import Annotated

import typer

from hostloom.cli.crud_commands import given
from hostloom.cli.disk_images import Replace, show_ready
from hostloom.cli.exit_codes import Exit, fail
from hostloom.cli.follow import Wait, finish
from hostloom.cli.output import Format, Output, show_done, size
from hostloom.cli.session import open_client
from hostloom.client import Client
from hostloom.model.image import Flavour

What = Annotated[
    str,
    typer.Argument(
        metavar="virtual|generic|RECIPE",
        help="A boot image (virtual: for virtual machines; generic: for physical machines too), "
        "or a disk image by its recipe, such as debian-12.",
    ),
]
Generic = Annotated[
    bool, typer.Option("--generic", help="Disk image: with the drivers of physical machines.")
]
Kvm = Annotated[
    bool, typer.Option("--kvm", help="Disk image: with QEMU, libvirt and firmware; implies --generic.")
]
Ovs = Annotated[bool, typer.Option("--ovs", help="Disk image: with Open vSwitch; needs --kvm.")]
Packages = Annotated[
    list[str] | None,
    typer.Option("--package", metavar="NAME", help="Disk image: an additional package; may be repeated."),
]
MirrorUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Disk image: archive of packages; default: the one of the server's apt."
    ),
]
SecurityMirrorUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Disk image: archive of security updates.")
]

Name = Annotated[
    str | None, typer.Option("--name", help="Name of the disk image; default: such as debian-12-kvm.")
]


def build(
    context: typer.Context,
    what: What = Flavour.VIRTUAL.value,
    generic: Generic = False,
    kvm: Kvm = False,
    ovs: Ovs = False,
    package: Packages = None,
    mirror: MirrorUrl = None,
    security_mirror: SecurityMirrorUrl = None,
    name: Name = None,
    replace: Replace = False,
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Build an image on the server: a boot image, or the disk image of a recipe.

    A boot image has the kernel of the server's distribution. Machines boot it from then on; the previous
    one is kept for machines that are booting. A disk image is installed from the distribution's packages,
    includes cloud-init, and starts with BIOS and UEFI. Its default name is like `debian-12-kvm`.

    Examples:

    - `hostloom image build debian-12`
    - `hostloom image build debian-12 --kvm`
    """
    options = given(flavour=Flavour.GENERIC if generic else None, mirror=mirror, name=name)
    options |= given(security_mirror=security_mirror, packages=package or None)
    options |= {key: value for key, value in {"kvm": kvm, "ovs": ovs, "replace": replace}.items() if value}
    with open_client(context) as client:
        if what in list(Flavour) and options:
            raise fail(
                f"a boot image has no {', '.join(sorted(_option(name) for name in options))}",
                "name the recipe of a disk image, such as `hostloom image build debian-12`",
                Exit.USAGE,
            )
        if what in list(Flavour):
            _build_boot(client, Flavour(what), output, wait=wait)
            return
        done = finish(client, client.build_disk_image({"recipe": what, **options}), output, wait=wait)
        show_ready(client.disk_images.get(done["subject"].removeprefix("image ")), "built", output)


def _option(field: str) -> str:
    """The option that sets a field of a disk image's recipe."""
    names = {"flavour": "generic", "packages": "package"}
    return f"--{names.get(field, field).replace('_', '-')}"


def _build_boot(client: Client, flavour: Flavour, output: Format, *, wait: bool) -> None:
    finish(client, client.images.create({"flavour": flavour}), output, wait=wait)
    new_image = next(image for image in client.images.list() if image["flavour"] == flavour)
    total = size(sum(file["size_bytes"] for file in new_image["files"]))
    show_done(f"image {new_image['name']} is built, {total}; machines boot it from now on", new_image, output)
