"""Disk images: list, import and delete."""

from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from hostloom.model.access import Principal
from hostloom.model.disk_image import BootMode, DiskImage, check_image_name, check_sha256, name_of_file
from hostloom.model.disk_import import ImageSource, KnownContent, check_url
from hostloom.model.errors.resources import AlreadyExists, NotFound
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event import Event, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import DiskImageId
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.ports.disk_images import Receiver
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.build_disk_image import BUILD_DISK_IMAGE
from hostloom.sagas.import_disk_image import IMPORT_DISK_IMAGE, ImportDiskImageInput, files_of, imports_of
from hostloom.sagas.saga import Saga, start_saga
from hostloom.services.access import require_admin, require_user
from hostloom.services.naming import check_generation, find_by_key

_KIND = "disk image"
_MAX_TITLE, _MAX_WORD = 200, 100
_SAGAS = (IMPORT_DISK_IMAGE.name, BUILD_DISK_IMAGE.name)
#: Files that clients sent and that no import has used.
MAX_UPLOADS = 20
#: Imports at a time; they take long, and other operations need the workers, too.
MAX_IMPORTS = 3


@dataclass(frozen=True)
class DiskImageInput:
    """A disk image to import, from a `url` or an `upload`; what is None is read from the disk."""

    #: None: made of the file's name.
    name: str | None = None
    title: str = ""
    url: str | None = None
    #: Id of a file that was sent before.
    upload: str | None = None
    #: Name of the file that was sent.
    file_name: str = ""
    #: What the file must have.
    sha256: str | None = None
    #: URL of a list of checksums, which must have one for the file.
    sha256sums: str | None = None
    os: str | None = None
    release: str | None = None
    codename: str | None = None
    architecture: str | None = None
    boot_modes: tuple[BootMode, ...] | None = None
    default_user: str | None = None
    has_cloud_init: bool | None = None
    has_kvm: bool | None = None
    #: An image with this name gets the new content.
    replace: bool = False


def list_(
    uow: UnitOfWork, principal: Principal, after: int | None = None, limit: int | None = None
) -> list[DiskImage]:
    """By id, from after `after`."""
    require_user(principal, "see disk images")
    return uow.disk_images.list(None if after is None else DiskImageId(after), limit)


def get(uow: UnitOfWork, principal: Principal, key: str) -> DiskImage:
    """By name or id; NotFound."""
    require_user(principal, "see disk images")
    return find_by_key(uow.disk_images, _KIND, key)


@dataclass(frozen=True)
class UploadInput:
    """A file that a client wants to send."""

    size_bytes: int
    #: Of the future image; None, or the name must be free.
    name: str | None = None


def expect_upload(ports: Ports, principal: Principal, request: UploadInput) -> str:
    """Check that a file may be sent, before it is; the id to send it under."""
    require_admin(principal, "import disk images")
    imports = imports_of(ports)
    if request.name is not None:
        with ports.store.begin() as uow:
            _check_free(uow, ports, check_image_name(request.name), replaces=False)
    if len(imports.uploads()) >= MAX_UPLOADS:
        raise InvalidValue(
            "name",
            request.name,
            f"would be more than {MAX_UPLOADS} files without an import",
            "import these first",
        )
    upload = ports.ids.uuid()
    imports.expect(upload, request.size_bytes)
    return upload


def receive(ports: Ports, principal: Principal, upload: str) -> Receiver:
    """Receive an expected file; NotFound."""
    require_admin(principal, "import disk images")
    return imports_of(ports).receive(upload)


def import_(ports: Ports, principal: Principal, request: DiskImageInput) -> Operation:
    """Record an operation that imports a disk image."""
    require_admin(principal, "import disk images")
    source = _source(ports, request)
    name = check_image_name(request.name if request.name is not None else name_of_file(source.file_name))
    title = _checked_text("title", request.title, _MAX_TITLE)
    saga_input = ImportDiskImageInput(name, source, title, _known(request), replace=request.replace)
    with ports.store.begin() as uow:
        operation = start_import(uow, ports, principal, saga_input)
        uow.commit()
    return operation


def start_import(
    uow: UnitOfWork,
    ports: Ports,
    principal: Principal,
    saga_input: ImportDiskImageInput,
    saga: Saga[ImportDiskImageInput] = IMPORT_DISK_IMAGE,
) -> Operation:
    """Record the operation if the image may have its name; AlreadyExists."""
    _check_free(uow, ports, saga_input.name, replaces=saga_input.replace)
    subject = f"image {saga_input.name}"
    running = running_imports(uow)
    if subject in running:
        raise AlreadyExists(_KIND, saga_input.name, "is being imported or built")
    if len(running) >= MAX_IMPORTS:
        raise InvalidValue(
            "name",
            saga_input.name,
            f"would be more than {MAX_IMPORTS} imports at a time",
            "wait for one of them",
        )
    return start_saga(uow, ports, principal, saga, saga_input, subject)


def running_imports(uow: UnitOfWork) -> list[str]:
    """The subjects of imports and builds that have not ended."""
    unfinished = uow.operations.list(unfinished=True)
    return [operation.subject for operation in unfinished if operation.saga in _SAGAS]


def delete(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete an image and its files; InUse names the machines that were deployed from it."""
    require_admin(principal, "delete disk images")
    files = files_of(ports)
    with ports.store.begin() as uow:
        image = find_by_key(uow.disk_images, _KIND, key)
        check_generation(_KIND, image.name, image, generation)
        uow.disk_images.delete(image.id)
        subject = named_subject(EventSubjectKind.IMAGE, image.name)
        uow.events.add(Event(EventKind.IMAGE_DELETED, subject, "was deleted", ports.clock.now()))
        uow.commit()
    files.delete(image.sha256)


def _check_free(uow: UnitOfWork, ports: Ports, name: str, *, replaces: bool) -> None:
    if uow.disk_images.find(name) is not None and not replaces:
        raise AlreadyExists(_KIND, name, "exists already; `replace` gives it the new content")
    if ports.images is not None and ports.images.find(name) is not None:
        raise AlreadyExists("boot image", name)


def _source(ports: Ports, request: DiskImageInput) -> ImageSource:
    if (request.url is None) == (request.upload is None):
        raise InvalidValue("url", request.url, "and `upload` are alternatives", "send exactly one of them")
    sha256 = "" if request.sha256 is None else check_sha256(request.sha256)
    sums = "" if request.sha256sums is None else check_url(request.sha256sums, "sha256sums")
    if request.url is not None:
        url = check_url(request.url)
        file_name = unquote(urlsplit(url).path.rpartition("/")[2])
        return ImageSource(url=url, sha256=sha256, sha256sums_url=sums, file_name=file_name)
    if request.upload is None or imports_of(ports).find_upload(request.upload) is None:
        raise NotFound("upload", request.upload)
    file_name = _checked_text("file_name", request.file_name, _MAX_TITLE).rpartition("/")[2]
    return ImageSource(upload=request.upload, sha256=sha256, sha256sums_url=sums, file_name=file_name)


def _known(request: DiskImageInput) -> KnownContent:
    words = {
        name: _checked_text(name, getattr(request, name), _MAX_WORD)
        for name in ("os", "release", "codename", "architecture", "default_user")
        if getattr(request, name) is not None
    }
    known = KnownContent(
        boot_modes=request.boot_modes, has_cloud_init=request.has_cloud_init, has_kvm=request.has_kvm
    )
    return replace(known, **words)  # type: ignore[arg-type]  # the words are all texts


def check_title(title: str) -> str:
    """Return an image's title; InvalidValue."""
    return _checked_text("title", title, _MAX_TITLE)


def _checked_text(field: str, text: str, limit: int) -> str:
    if len(text) > limit or not text.isprintable():
        raise InvalidValue(field, text, "is not a text", f"use at most {limit} printable characters")
    return text.strip()
