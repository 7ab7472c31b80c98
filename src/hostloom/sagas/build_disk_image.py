"""Build a disk image: install packages, make the disk of them, and go on like an import."""

from hostloom.model.disk_build import DiskBuild, InstalledSystem
from hostloom.model.disk_import import FetchedFile
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.ports.context import Ports
from hostloom.ports.disk_images import DiskBuilds
from hostloom.sagas.import_disk_image import (
    CONVERT,
    INSPECT,
    PUBLISH,
    RECORD,
    TIDY,
    UNPACK,
    ImportDiskImageInput,
    imports_of,
)
from hostloom.sagas.saga import Run, Saga, Step


def builds_of(ports: Ports) -> DiskBuilds:
    """Where disk images are built; DiskImageFailed on a server that builds none."""
    if ports.disk_builds is None:
        raise DiskImageFailed("a disk image", "this server builds none", "built")
    return ports.disk_builds


def _build(run: Run[ImportDiskImageInput]) -> DiskBuild:
    if run.input.source.build is None:
        raise DiskImageFailed(run.input.name, "it has no recipe", "built")
    return run.input.source.build


def _install(run: Run[ImportDiskImageInput]) -> InstalledSystem:
    builds_of(run.ports).check(_build(run))
    return builds_of(run.ports).install(run.operation.id, _build(run), run.report)


def _assemble(run: Run[ImportDiskImageInput]) -> FetchedFile:
    return builds_of(run.ports).assemble(run.operation.id, _build(run), run.report)


def _discard(run: Run[ImportDiskImageInput]) -> None:
    builds_of(run.ports).discard_build(run.operation.id)
    imports_of(run.ports).discard(run.operation.id)


INSTALL = Step[ImportDiskImageInput, InstalledSystem]("install", InstalledSystem, do=_install, undo=_discard)
ASSEMBLE = Step[ImportDiskImageInput, FetchedFile]("assemble", FetchedFile, do=_assemble)

BUILD_DISK_IMAGE = Saga(
    "build-disk-image",
    ImportDiskImageInput,
    (INSTALL, ASSEMBLE, UNPACK, CONVERT, INSPECT, PUBLISH, RECORD, TIDY),
)
