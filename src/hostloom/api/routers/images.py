"""Boot images over HTTP."""

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import In, Out, like
from hostloom.api.paging import PageOut, Paging
from hostloom.api.routers.operations import OperationOut
from hostloom.model.image import Flavour, Image, ImageFile
from hostloom.services import images

router = APIRouter(prefix="/images", tags=["images"])


class ImageIn(In):
    """An image to build; `virtual`: only for virtual machines, `generic`: also for physical machines."""

    flavour: Flavour = Flavour.VIRTUAL


@like(ImageFile)
class ImageFileOut(Out):
    """One file of an image."""


@like(Image)
class ImageOut(Out):
    """A boot image."""

    files: list[ImageFileOut]


@router.get("", response_model=PageOut[ImageOut])
def list_images(call: Reading, page: Paging) -> Response:
    """List boot images, latest first; machines boot the first image of their flavour."""
    boot_images = images.list_(call.ports, call.principal, page.after)
    return call.page(
        page, [ImageOut.made(image) for image in boot_images[: page.more]], lambda answer: answer.name
    )


@router.post("", status_code=202, response_model=OperationOut)
def build_image(call: Changing, body: ImageIn) -> Response:
    """Build a boot image from the distribution's kernel; machines boot it after the operation succeeds."""
    return call.perform(202, lambda: OperationOut.of(images.build(call.ports, call.principal, body.flavour)))


@router.get("/{key}", response_model=ImageOut)
def get_image(call: Reading, key: str) -> Response:
    """Show a boot image."""
    return call.one(ImageOut.made(images.get(call.ports, call.principal, key)))


@router.delete("/{key}", status_code=204)
def delete_image(call: Changing, key: str) -> Response:
    """Delete a boot image; machines then boot the previous one, if it exists."""
    return call.perform(204, lambda: images.delete(call.ports, call.principal, key))
