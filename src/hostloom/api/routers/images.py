"""Boot images over HTTP."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import In, Out
from hostloom.api.paging import PageOut, Paging
from hostloom.api.routers.operations import OperationOut
from hostloom.model.image import Flavour, Image
from hostloom.services import images

router = APIRouter(prefix="/images", tags=["images"])


class ImageIn(In):
    """An image to build; `virtual`: for virtual machines only, `generic`: for real ones too."""

    flavour: Flavour = Flavour.VIRTUAL


class ImageFileOut(Out):
    """One file of an image."""

    name: str
    size_bytes: int
    sha256: str


class ImageOut(Out):
    """A boot image."""

    name: str
    flavour: Flavour
    kernel_version: str
    architecture: str
    built_at: float
    files: list[ImageFileOut]

    @classmethod
    def of(cls, item: Image) -> Self:
        """Of the model."""
        return cls(
            name=item.name,
            flavour=item.flavour,
            kernel_version=item.kernel_version,
            architecture=item.architecture,
            built_at=item.built_at,
            files=[
                ImageFileOut(name=each.name, size_bytes=each.size_bytes, sha256=each.sha256)
                for each in item.files
            ],
        )


@router.get("", response_model=PageOut[ImageOut])
def list_images(call: Reading, page: Paging) -> Response:
    """List boot images, latest first; the first of a flavour is the one that machines boot."""
    found = images.list_(call.ports, call.principal, page.after)
    return call.page(page, [ImageOut.of(each) for each in found[: page.more]], lambda each: each.name)


@router.post("", status_code=202, response_model=OperationOut)
def build_image(call: Changing, body: ImageIn) -> Response:
    """Build a boot image from the distribution's kernel; machines boot it once the operation succeeds."""
    return call.perform(202, lambda: OperationOut.of(images.build(call.ports, call.principal, body.flavour)))


@router.get("/{key}", response_model=ImageOut)
def get_image(call: Reading, key: str) -> Response:
    """Show a boot image."""
    return call.one(ImageOut.of(images.get(call.ports, call.principal, key)))


@router.delete("/{key}", status_code=204)
def delete_image(call: Changing, key: str) -> Response:
    """Delete a boot image; machines boot the one before it, if there is one."""
    return call.perform(204, lambda: images.delete(call.ports, call.principal, key))
