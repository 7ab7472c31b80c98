"""`boot-resources/`: the images that machines boot from the network."""

import zlib
from datetime import UTC, datetime
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, not_found, refuse, uri
from hostloom.model.image import Image
from hostloom.model.operation import FINISHED
from hostloom.services import images, operations
from hostloom.services.access import require_admin

resources = Resource("BootResources", "boot-resources/", "Manage boot images.")
resource = Resource("BootResource", "boot-resources/{id}/", "Manage a boot image.")
RESOURCES = (resources, resource)

_TYPES = ("synced", "uploaded", "generated")


@resources.crud(
    "read", "List boot images.", Param("type", f"Type of the images to list, one of: {', '.join(_TYPES)}.")
)
def list_resources(call: Call) -> MaasResponse:
    """List the latest first. All images are generated, because hostloom builds them itself."""
    kind = call.form.choice("type", _TYPES)
    return answer([_shown(image) for image in _all(call) if kind in (None, "generated")])


@resources.op("GET", "is_importing", "Show whether an image is being built.")
def is_importing(call: Call) -> MaasResponse:
    """Return whether a build is running."""
    with call.begin() as uow:
        running = operations.list_(uow, call.principal, unfinished=True)
    return answer(
        any(operation.saga == "build-image" and operation.state not in FINISHED for operation in running)
    )


@resources.op("POST", "import", "Import images: hostloom builds its own images instead.")
def import_resources(call: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    require_admin(call.principal, "build boot images")
    raise refuse(
        409, "hostloom imports no images: `hostloom image build` builds one from this machine's kernel."
    )


@resource.crud("read", "Show a boot image.")
def read_resource(call: Call) -> MaasResponse:
    """Look up by id."""
    return answer(_shown(_find(call)))


@resource.crud("delete", "Delete a boot image.")
def delete_resource(call: Call) -> MaasResponse:
    """Delete an image. Raises an error while machines boot from it."""
    images.delete(call.ports, call.principal, _find(call).name)
    return GONE


def _all(call: Call) -> list[Image]:
    if call.ports.images is None:
        return []
    return list(images.list_(call.ports, call.principal))


def _find(call: Call) -> Image:
    number = call.number("id", "BootResource")
    for image in _all(call):
        if _number(image) == number:
            return image
    raise not_found("BootResource")


def _number(image: Image) -> int:
    """Derive a stable id from the name, because images have no numeric id."""
    return zlib.crc32(image.name.encode()) % 10**9


def _shown(image: Image) -> dict[str, Any]:
    key = _number(image)
    version = datetime.fromtimestamp(image.built_at, UTC).strftime("%Y%m%d")
    return {
        "id": key,
        "type": "Generated",
        "name": f"hostloom/{image.name}",
        "title": f"Commissioning, {image.flavour}",
        "architecture": f"{image.architecture}/generic",
        "subarches": "generic",
        "kflavor": str(image.flavour),
        "last_deployed": None,
        "resource_uri": uri(f"boot-resources/{key}/"),
        "sets": {
            version: {
                "version": version,
                "label": "generated",
                "size": sum(file.size_bytes for file in image.files),
                "complete": True,
                "files": {
                    file.name: {
                        "filename": file.name,
                        "filetype": file.name,
                        "sha256": file.sha256,
                        "size": file.size_bytes,
                        "complete": True,
                    }
                    for file in image.files
                },
            }
        },
    }
