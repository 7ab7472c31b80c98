"""Import a disk image: fetch its file, unpack, convert and inspect it, publish the files and record it."""

from dataclasses import dataclass, field, fields, replace

from hostloom.model.disk_image import DiskContent, DiskImage
from hostloom.model.disk_import import ConvertedDisk, FetchedFile, ImageSource, KnownContent, UnpackedDisk
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.event import Event, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import DiskImageId
from hostloom.ports.context import Ports
from hostloom.ports.disk_images import DiskImageFiles, DiskImports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class ImportDiskImageInput:
    """Where the disk comes from, and what the user says about it; the build of a disk has the same input."""

    name: str
    source: ImageSource
    title: str = ""
    known: KnownContent = field(default_factory=KnownContent)
    #: What a mirror says about it, for what cannot be read.
    assumed: KnownContent = field(default_factory=KnownContent)
    #: An image with this name gets the new content.
    replace: bool = False


@dataclass(frozen=True)
class Recorded:
    """What the image is now, and which content it had before (empty: none, or the same)."""

    sha256: str
    replaced_sha256: str = ""


def files_of(ports: Ports) -> DiskImageFiles:
    """Where disk images are; DiskImageFailed on a server that keeps none."""
    if ports.disk_images is None:
        raise DiskImageFailed("a disk image", "this server keeps no disk images")
    return ports.disk_images


def imports_of(ports: Ports) -> DiskImports:
    """Where imports are; DiskImageFailed on a server that keeps no disk images."""
    if ports.disk_imports is None:
        raise DiskImageFailed("a disk image", "this server keeps no disk images")
    return ports.disk_imports


def combine(content: DiskContent, known: KnownContent, assumed: KnownContent) -> DiskContent:
    """What was read; `known` replaces it, and `assumed` fills in what could not be read."""
    values = {part.name: getattr(known, part.name) for part in fields(known)}
    for name, value in values.items():
        if value is None and getattr(content, name) in ("", (), None):
            values[name] = getattr(assumed, name)
    return replace(content, **{name: value for name, value in values.items() if value is not None})


def record_image(
    uow: UnitOfWork, image: DiskImage, now: float, *, replaces: bool, verb: str = "imported"
) -> Recorded:
    """Add the image, or give an image of this name its content; AlreadyExists.

    The same image may be recorded twice.
    """
    same_content, same_name = uow.disk_images.find_by_content(image.sha256), uow.disk_images.find(image.name)
    if same_content is not None and same_content.name != image.name:
        raise AlreadyExists("disk image", same_content.name, "has the same content already")
    if same_content is not None:
        return Recorded(image.sha256)
    subject = named_subject(EventSubjectKind.IMAGE, image.name)
    if same_name is None:
        uow.disk_images.add(image)
        text = f"was {verb} from {image.source}"
    elif replaces:
        uow.disk_images.update(replace(image, id=same_name.id, generation=same_name.generation))
        text = f"was replaced by {image.source}"
    else:
        raise AlreadyExists("disk image", image.name)
    uow.events.add(Event(EventKind.IMAGE_IMPORTED, subject, text, now, details={"sha256": image.sha256}))
    return Recorded(image.sha256, "" if same_name is None else same_name.sha256)


def drop_replaced(ports: Ports, recorded: Recorded) -> None:
    """Delete the content that an image had before, unless a machine is being deployed from it."""
    if recorded.replaced_sha256:
        with ports.store.begin() as uow:
            deployments = uow.deployments.with_image(recorded.replaced_sha256)
        if all(deployment.finished_at is not None for deployment in deployments):
            files_of(ports).delete(recorded.replaced_sha256)


def _what(run: Run[ImportDiskImageInput]) -> str:
    return run.input.source.text


def _fetch(run: Run[ImportDiskImageInput]) -> FetchedFile:
    return imports_of(run.ports).fetch(run.operation.id, run.input.source, run.report)


def _undo_fetch(run: Run[ImportDiskImageInput]) -> None:
    imports = imports_of(run.ports)
    imports.discard(run.operation.id)
    if run.input.source.upload:
        imports.discard_upload(run.input.source.upload)


def _unpack(run: Run[ImportDiskImageInput]) -> UnpackedDisk:
    return imports_of(run.ports).unpack(run.operation.id, _what(run), run.report)


def _convert(run: Run[ImportDiskImageInput]) -> ConvertedDisk:
    unpacked = run.output(UNPACK)
    return imports_of(run.ports).convert(run.operation.id, _what(run), unpacked, run.report)


def _inspect(run: Run[ImportDiskImageInput]) -> DiskContent:
    content = imports_of(run.ports).inspect(run.operation.id)
    return combine(content, run.input.known, run.input.assumed)


def _publish(run: Run[ImportDiskImageInput]) -> None:
    imports_of(run.ports).publish(run.operation.id, run.output(CONVERT).sha256)


def _withdraw(run: Run[ImportDiskImageInput]) -> None:
    imports_of(run.ports).withdraw(run.operation.id, run.output(CONVERT).sha256)


def _record(run: Run[ImportDiskImageInput], uow: UnitOfWork) -> Recorded:
    converted, content, now = run.output(CONVERT), run.output(INSPECT), run.ports.clock.now()
    files_of(run.ports).disk(converted.sha256)  # another import of the same disk may have withdrawn it
    image = DiskImage(
        id=DiskImageId(0),
        name=run.input.name,
        title=run.input.title,
        sha256=converted.sha256,
        virtual_size_bytes=converted.virtual_size_bytes,
        size_bytes=converted.size_bytes,
        stream_sha256=converted.stream_sha256,
        stream_size_bytes=converted.stream_size_bytes,
        imported_at=now,
        os=content.os,
        release=content.release,
        codename=content.codename,
        architecture=content.architecture,
        boot_modes=content.boot_modes,
        has_cloud_init=content.has_cloud_init,
        has_kvm=content.has_kvm,
        default_user=content.default_user,
        source=_what(run),
        source_sha256=run.output(FETCH).sha256 if run.has(FETCH) else "",
        warnings=content.warnings,
    )
    return record_image(uow, image, now, replaces=run.input.replace, verb=run.input.source.verb)


def _tidy(run: Run[ImportDiskImageInput]) -> None:
    imports_of(run.ports).discard(run.operation.id)
    drop_replaced(run.ports, run.output(RECORD))


FETCH = Step[ImportDiskImageInput, FetchedFile]("fetch", FetchedFile, do=_fetch, undo=_undo_fetch)
UNPACK = Step[ImportDiskImageInput, UnpackedDisk]("unpack", UnpackedDisk, do=_unpack)
CONVERT = Step[ImportDiskImageInput, ConvertedDisk]("convert", ConvertedDisk, do=_convert)
INSPECT = Step[ImportDiskImageInput, DiskContent]("inspect", DiskContent, do=_inspect)
PUBLISH = Step[ImportDiskImageInput, None]("publish", do=_publish, undo=_withdraw)
#: Committed together with the beginning of the next step.
RECORD = Step[ImportDiskImageInput, Recorded]("record", Recorded, rows=_record)
#: The replaced content is deleted, so from here on the import only goes forward.
TIDY = Step[ImportDiskImageInput, None]("tidy", do=_tidy, forward_only=True)

IMPORT_DISK_IMAGE = Saga(
    "import-disk-image", ImportDiskImageInput, (FETCH, UNPACK, CONVERT, INSPECT, PUBLISH, RECORD, TIDY)
)
