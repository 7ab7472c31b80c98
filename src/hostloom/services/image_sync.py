"""Synchronizes disk images with a simplestreams mirror."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hostloom.decide.images.simplestreams import document_of, find_images, product_paths, root_of
from hostloom.model.access import Principal
from hostloom.model.disk_image import DiskImage, check_image_name, check_sha256
from hostloom.model.disk_import import ImageSource, KnownContent, check_url
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.values import InvalidValue
from hostloom.model.mirror import MirrorFilter, MirrorImage, SyncAction, SyncItem
from hostloom.ports.context import Ports
from hostloom.ports.disk_images import ImageDocuments
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.import_disk_image import ImportDiskImageInput
from hostloom.services.access import require_admin
from hostloom.services.disk_images import MAX_IMPORTS, running_imports, start_import

#: A document of a mirror may have so many bytes; Ubuntu's have about ten million.
MAX_DOCUMENT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class SyncInput:
    """A mirror, and which of its images to import."""

    url: str
    filters: tuple[MirrorFilter, ...] = ()
    #: Base64 of a keyring; the mirror's documents must then be signed by one of its keys.
    keyring: str | None = None


def plan(ports: Ports, principal: Principal, request: SyncInput) -> list[SyncItem]:
    """What synchronizing would do; nothing is changed."""
    require_admin(principal, "import disk images")
    images = _read(_documents(ports), request)
    with ports.store.begin() as uow:
        return _decide(uow, images, root_of(request.url))


def sync(ports: Ports, principal: Principal, request: SyncInput) -> list[SyncItem]:
    """Start imports of images that are missing here or newer on the mirror, as many as may run at a time.

    The others are marked as waiting; the next call starts them.
    """
    require_admin(principal, "import disk images")
    images = _read(_documents(ports), request)
    with ports.store.begin() as uow:
        started = [_start(uow, ports, principal, item) for item in _decide(uow, images, root_of(request.url))]
        uow.commit()
    return started


def _documents(ports: Ports) -> ImageDocuments:
    if ports.image_documents is None:
        raise DiskImageFailed("a mirror", "this server keeps no disk images")
    return ports.image_documents


def _read(documents: ImageDocuments, request: SyncInput) -> list[MirrorImage]:
    """The images of the mirror that the filters take; one for each name."""
    root, first = root_of(check_url(request.url)), document_of(request.url)
    keyring = _keyring(request.keyring)
    document = _document(documents, root + first, keyring)
    paths = product_paths(document, root + first)
    products = [document, *(_document(documents, root + path, keyring) for path in paths)]
    images = [image for document in products for image in find_images(document, root, request.filters)]
    if not images:
        raise DiskImageFailed(request.url, "the mirror has no disk image that the filters take")
    by_name: dict[str, MirrorImage] = {}
    for image in images:
        check_sha256(image.sha256)
        by_name.setdefault(check_image_name(image.name), image)
    return [by_name[name] for name in sorted(by_name)]


def _document(documents: ImageDocuments, url: str, keyring: bytes | None) -> object:
    """A document of a mirror: signed ones end with `.sjson`, others with `.json`."""
    stem = url.removesuffix(".json").removesuffix(".sjson")
    if keyring is None:
        content = documents.read(f"{stem}.json", MAX_DOCUMENT_BYTES)
    else:
        content = documents.read_signed(f"{stem}.sjson", keyring, MAX_DOCUMENT_BYTES)
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DiskImageFailed(url, f"it is not JSON: {error}") from error
    return document


def _keyring(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidValue("keyring", None, "is not Base64", "encode the keyring's file") from error


def _decide(uow: UnitOfWork, images: Sequence[MirrorImage], root: str) -> list[SyncItem]:
    return [SyncItem(image, _action(uow.disk_images.find(image.name), image, root)) for image in images]


def _action(stored: DiskImage | None, image: MirrorImage, root: str) -> SyncAction:
    if stored is None:
        return SyncAction.IMPORT
    if stored.source_sha256 == image.sha256:
        return SyncAction.KEEP
    return SyncAction.REPLACE if stored.source.startswith(root) else SyncAction.SKIP


def _start(uow: UnitOfWork, ports: Ports, principal: Principal, item: SyncItem) -> SyncItem:
    if item.action not in (SyncAction.IMPORT, SyncAction.REPLACE):
        return item
    running = running_imports(uow)
    if len(running) >= MAX_IMPORTS or f"image {item.image.name}" in running:
        return replace(item, action=SyncAction.WAIT)
    image = item.image
    assumed = KnownContent(
        os=image.os or None,
        release=image.release or None,
        codename=image.codename or None,
        architecture=image.architecture or None,
    )
    file_name = image.url.rpartition("/")[2]
    source = ImageSource(url=check_url(image.url), sha256=image.sha256, file_name=file_name)
    title = f"{image.title or image.os} {image.version}".strip()
    replaces = item.action is SyncAction.REPLACE
    saga_input = ImportDiskImageInput(image.name, source, title, assumed=assumed, replace=replaces)
    return replace(item, operation_id=start_import(uow, ports, principal, saga_input).id)
