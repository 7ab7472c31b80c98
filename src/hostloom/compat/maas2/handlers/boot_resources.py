"""`boot-resources/`: the images that machines boot, and those for their disks."""

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.disk_images import newest_first, shown_name
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, not_found, refuse, uri
from hostloom.model.disk_image import DiskImage
from hostloom.model.image import Image, ImageFile
from hostloom.model.operation import FINISHED
from hostloom.sagas.import_disk_image import IMPORT_DISK_IMAGE
from hostloom.services import disk_images, images, operations
from hostloom.services.access import require_admin

resources = Resource("BootResources", "boot-resources/", "Manage boot images.")
resource = Resource("BootResource", "boot-resources/{id}/", "Manage a boot image.")
RESOURCES = (resources, resource)

#: The least id of a boot image.
_FIRST = 10**9
#: The architecture of an image that does not say it.
_UNKNOWN = "amd64"
#: The operations that make images.
_SAGAS = frozenset({"build-image", "build-disk-image", IMPORT_DISK_IMAGE.name})
_TYPES = ("synced", "uploaded", "generated")


@resources.crud(
    "read",
    "List boot images and disk images.",
    Param("type", f"Type of the images to list, one of: {', '.join(_TYPES)}."),
)
def list_resources(call: Call) -> MaasResponse:
    """List boot images, which hostloom generates, and then disk images; the latest of each kind first."""
    kind = call.form.choice("type", _TYPES)
    shown = [_shown(image) for image in _all(call)] if kind in (None, "generated") else []
    if kind in (None, "uploaded"):
        images_here = newest_first(_all_disks(call))
        shown += [_shown_disk(image, images_here) for image in images_here]
    return answer(shown)


@resources.op("GET", "is_importing", "Show whether an image is being built or imported.")
def is_importing(call: Call) -> MaasResponse:
    """Return whether a build or an import is running."""
    with call.begin() as uow:
        running = operations.list_(uow, call.principal, unfinished=True)
    return answer(any(operation.saga in _SAGAS and operation.state not in FINISHED for operation in running))


@resources.op("POST", "import", "Import images: use `hostloom image import` or `image sync`.")
def import_resources(call: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    require_admin(call.principal, "build boot images")
    raise refuse(
        409,
        "hostloom imports images by name: use `hostloom image import` or `image sync`.",
    )


@resource.crud("read", "Show a boot image.")
def read_resource(call: Call) -> MaasResponse:
    """Look up by id."""
    found = _find(call)
    return answer(_shown_disk(found, _all_disks(call)) if isinstance(found, DiskImage) else _shown(found))


@resource.crud("delete", "Delete a boot image.")
def delete_resource(call: Call) -> MaasResponse:
    """Delete an image. Raises an error while machines use it."""
    found = _find(call)
    service = disk_images if isinstance(found, DiskImage) else images
    service.delete(call.ports, call.principal, found.name)
    return GONE


def _all(call: Call) -> list[Image]:
    if call.ports.images is None:
        return []
    return list(images.list_(call.ports, call.principal))


def _all_disks(call: Call) -> list[DiskImage]:
    with call.begin() as uow:
        return disk_images.list_(uow, call.principal)


def _find(call: Call) -> Image | DiskImage:
    number = call.number("id", "BootResource")
    for disk in _all_disks(call):
        if disk.id == number:
            return disk
    for image in _all(call):
        if _number(image) == number:
            return image
    raise not_found("BootResource")


def _number(image: Image) -> int:
    """Derive a stable id from the name, because boot images have no numeric one."""
    return _FIRST + zlib.crc32(image.name.encode()) % _FIRST


def _shown(image: Image) -> dict[str, Any]:
    return {
        **_document(_number(image), image.built_at, "generated", image.files),
        "type": "Generated",
        "name": f"hostloom/{image.name}",
        "title": f"Commissioning, {image.flavour}",
        "architecture": f"{image.architecture}/generic",
        "kflavor": str(image.flavour),
    }


def _shown_disk(image: DiskImage, images_here: list[DiskImage]) -> dict[str, Any]:
    file = ImageFile("root-dd", image.virtual_size_bytes, image.sha256)
    return {
        **_document(image.id, image.imported_at, "uploaded", (file,)),
        "type": "Uploaded",
        "name": shown_name(image, images_here),
        "title": image.title or image.name,
        "architecture": f"{image.architecture or _UNKNOWN}/generic",
        "kflavor": "generic",
    }


def _document(key: int, built_at: float, label: str, files: Sequence[ImageFile]) -> dict[str, Any]:
    """Make the part that both kinds of images have; the version is the day."""
    version = datetime.fromtimestamp(built_at, UTC).strftime("%Y%m%d")
    return {
        "id": key,
        "subarches": "generic",
        "last_deployed": None,
        "resource_uri": uri(f"boot-resources/{key}/"),
        "sets": {
            version: {
                "version": version,
                "label": label,
                "size": sum(file.size_bytes for file in files),
                "complete": True,
                "files": {
                    file.name: {
                        "filename": file.name,
                        "filetype": file.name,
                        "sha256": file.sha256,
                        "size": file.size_bytes,
                        "complete": True,
                    }
                    for file in files
                },
            }
        },
    }
