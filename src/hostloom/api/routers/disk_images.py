"""Disk images over HTTP."""

from typing import Annotated, Self

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import In, Out, Sent, Text, like
from hostloom.api.paging import PageOut, Paging
from hostloom.api.routers.operations import OperationOut
from hostloom.model.disk_image import DiskImage
from hostloom.model.disk_import import UploadedFile
from hostloom.model.mirror import MirrorFilter, MirrorImage, SyncItem
from hostloom.ports.disk_images import Receiver
from hostloom.services import disk_builds, disk_images, image_sync

router = APIRouter(prefix="/disk-images", tags=["disk-images"])

_BINARY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
#: Bytes that are collected before they are written.
_BLOCK = 1024 * 1024


@like(DiskImage)
class DiskImageOut(Out):
    """A disk image; an empty text, an empty list or null means unknown."""


class UploadIn(In):
    """A file to be sent; `name`: of the future image, which must be free."""

    size_bytes: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
    name: Text | None = None


class UploadOut(Out):
    """A file that may be sent to `/disk-images/uploads/ID`."""

    id: str


@like(UploadedFile)
class UploadedFileOut(Out):
    """A file that was received; an import can use it within a day."""


class MirrorFilterIn(In):
    """Which images of a mirror; a field that is not sent takes all."""

    os: Text = ""
    #: A version, a codename or an alias.
    release: Text = ""
    architecture: Text = ""


class SyncIn(In):
    """A mirror, and which of its images to import; `keyring`: Base64 of a keyring of its signers."""

    url: Text
    filters: list[MirrorFilterIn] = Field(default_factory=list, max_length=100)
    keyring: Annotated[str, Field(strict=True, max_length=500_000)] | None = None
    #: Only say what would be done.
    plan: bool = False


@like(MirrorImage)
class MirrorImageOut(Out):
    """The newest disk of one product of a mirror."""

    name: str


@like(SyncItem)
class SyncItemOut(Out):
    """What is done about one image of a mirror; `operation_id` is empty if nothing is begun."""

    image: MirrorImageOut

    @classmethod
    def of(cls, item: SyncItem) -> Self:
        """Of the model."""
        return cls.made(item, image=MirrorImageOut.made(item.image))


class SyncOut(Out):
    """What is done about each image of a mirror, by name."""

    items: list[SyncItemOut]


@router.get("", response_model=PageOut[DiskImageOut])
def list_disk_images(call: Reading, page: Paging) -> Response:
    """List disk images by id."""
    with call.begin() as uow:
        images = disk_images.list_(uow, call.principal, page.after_number, page.more)
    return call.page(page, [DiskImageOut.made(image) for image in images], lambda answer: answer.id)


@router.post("", status_code=202, response_model=OperationOut)
def import_disk_image(call: Changing, body: Sent[disk_images.DiskImageInput]) -> Response:
    """Import a disk image from a URL or from a file that was sent to `/disk-images/uploads/ID`."""
    return call.perform(202, lambda: OperationOut.of(disk_images.import_(call.ports, call.principal, body)))


@router.post("/uploads", status_code=201, response_model=UploadOut)
def expect_upload(call: Changing, body: UploadIn) -> Response:
    """Check whether the file of a disk image may be sent; the answer has the id to send it under."""
    upload = disk_images.UploadInput(body.size_bytes, body.name)
    return call.perform(
        201, lambda: UploadOut(id=disk_images.expect_upload(call.ports, call.principal, upload))
    )


@router.put("/uploads/{key}", response_model=UploadedFileOut, openapi_extra=_BINARY)
async def send_upload(call: Reading, request: Request, key: str) -> Response:
    """Send the file of a disk image; it is written as it arrives and used by an import."""
    receiver = await run_in_threadpool(disk_images.receive, call.ports, call.principal, key)
    try:
        uploaded = await _receive(request, receiver)
    except BaseException:
        await run_in_threadpool(receiver.abort)
        raise
    return call.one(UploadedFileOut.made(uploaded))


@router.post("/build", status_code=202, response_model=OperationOut)
def build_disk_image(call: Changing, body: Sent[disk_builds.DiskBuildInput]) -> Response:
    """Build a disk image on the server from the packages of a distribution."""
    return call.perform(202, lambda: OperationOut.of(disk_builds.build(call.ports, call.principal, body)))


@router.post("/sync", response_model=SyncOut)
def sync_disk_images(call: Changing, body: SyncIn) -> Response:
    """Import what a simplestreams mirror has newer, or with `plan` only say what that would be."""
    filters = tuple(MirrorFilter(part.os, part.release, part.architecture) for part in body.filters)
    mirror = image_sync.SyncInput(body.url, filters, body.keyring)
    do = image_sync.plan if body.plan else image_sync.sync
    return call.perform(
        200,
        lambda: SyncOut(items=[SyncItemOut.of(item) for item in do(call.ports, call.principal, mirror)]),
    )


@router.get("/{key}", response_model=DiskImageOut)
def get_disk_image(call: Reading, key: str) -> Response:
    """Show a disk image by name or id."""
    with call.begin() as uow:
        return call.one(DiskImageOut.made(disk_images.get(uow, call.principal, key)))


@router.delete("/{key}", status_code=204)
def delete_disk_image(call: Changing, key: str) -> Response:
    """Delete a disk image; refused while machines are deployed from it."""
    return call.perform(204, lambda: disk_images.delete(call.ports, call.principal, key, call.generation))


async def _receive(request: Request, receiver: Receiver) -> UploadedFile:
    """Write what arrives, in blocks; a client that goes away ends it."""
    block = bytearray()
    async for chunk in request.stream():
        block += chunk
        if len(block) >= _BLOCK:
            await run_in_threadpool(receiver.write, bytes(block))
            block.clear()
    await run_in_threadpool(receiver.write, bytes(block))
    return await run_in_threadpool(receiver.finish)
